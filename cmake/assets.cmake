# rlhf_assets(<target> FOLDER <folder>): compiles every file of a folder into the program, as a table
#   namespace rlhf::app { std::span<const serving::Asset> built_in_pages(); }
# with the bytes as they are and compressed. The assembler reads the files, so that size costs no compile time.
function(rlhf_assets target)
  cmake_parse_arguments(PARSE_ARGV 1 assets "" "FOLDER" "")
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/assets)
  add_custom_command(
    OUTPUT ${folder}/assets.S ${folder}/assets.cpp
    COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tools/assets.py ${assets_FOLDER} ${folder}
    DEPENDS ${assets_FOLDER}/index.html ${PROJECT_SOURCE_DIR}/tools/assets.py
    COMMENT "compiling the pages in")
  set_source_files_properties(${folder}/assets.S PROPERTIES OBJECT_DEPENDS ${assets_FOLDER}/index.html)
  target_sources(${target} PRIVATE ${folder}/assets.S ${folder}/assets.cpp)
endfunction()
