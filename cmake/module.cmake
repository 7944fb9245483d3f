# Where the program (target rlhf of app/) is built; tests get its path as RLHF_BINARY.
set(RLHF_BINARY_FOLDER ${CMAKE_BINARY_DIR}/bin)

# rlhf_module(<name> SOURCES <file>... LINKS <target>...): the library of one folder, target rlhf_<name>, alias rlhf::<name>.
function(rlhf_module name)
  cmake_parse_arguments(PARSE_ARGV 1 module "" "" "SOURCES;LINKS;PRIVATE_LINKS")
  add_library(rlhf_${name} STATIC ${module_SOURCES})
  # at::parallel_for is a template over OpenMP: in a file compiled without it, every loop silently runs on one thread.
  foreach(file ${module_SOURCES})
    file(STRINGS ${file} parallel REGEX "at::parallel_for" LIMIT_COUNT 1)
    if(parallel)
      set_property(SOURCE ${file} APPEND PROPERTY COMPILE_OPTIONS -fopenmp)
      target_link_libraries(rlhf_${name} PUBLIC gomp)
    endif()
  endforeach()
  add_library(rlhf::${name} ALIAS rlhf_${name})
  target_include_directories(rlhf_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
  target_link_libraries(rlhf_${name} PUBLIC ${module_LINKS} PRIVATE ${module_PRIVATE_LINKS})
  target_compile_options(rlhf_${name} PRIVATE -Wall -Wextra -Wshadow -Wno-unused-parameter -Wno-missing-field-initializers)
endfunction()

# rlhf_test(<folder> FILES <file>... LINKS <target>... [LABELS <label>...]): one executable of tests/<folder>.
# Files ending in _slow_test.cpp go to a second executable with the label `slow`.
function(rlhf_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT" "FILES;LINKS;LABELS")
  set(slow_files ${test_FILES})
  list(FILTER slow_files INCLUDE REGEX "_slow_test\\.cpp$")
  list(FILTER test_FILES EXCLUDE REGEX "_slow_test\\.cpp$")
  foreach(speed IN ITEMS fast slow)
    set(files ${test_FILES})
    set(name ${folder}_tests)
    if(speed STREQUAL slow)
      set(files ${slow_files})
      set(name ${folder}_slow_tests)
    endif()
    if(files)
      add_executable(${name} ${files})
      target_link_libraries(${name} PRIVATE ${test_LINKS} GTest::gmock GTest::gtest_main)
      target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
      target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O0>)  # a test runs once: compiling it is the work
      target_compile_definitions(${name} PRIVATE
        RLHF_SOURCE_DIR="${PROJECT_SOURCE_DIR}" RLHF_BINARY="${RLHF_BINARY_FOLDER}/rlhf")
      add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      set_tests_properties(${name} PROPERTIES LABELS "${speed};${test_LABELS}" TIMEOUT 1200)
    endif()
  endforeach()
endfunction()
