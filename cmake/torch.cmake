# Finds LibTorch's CPU libraries and makes the target torch::cpu.
#
# find_package(Torch) is not used: with the public wheel it insists on a CUDA toolkit. Order of the search:
# TORCH_DIR (cache or environment), the active Python environment, build/deps (filled by tools/setup), and for projects
# that use the installed library, the LibTorch it was built with (RLHF_TORCH_ROOT, set by rlhf-config.cmake).
if(TARGET torch::cpu)
  return()
endif()
set(_torch_hints "")
foreach(_source IN ITEMS "${TORCH_DIR}" "$ENV{TORCH_DIR}")
  if(_source)
    list(APPEND _torch_hints "${_source}")
  endif()
endforeach()
if(NOT _torch_hints AND DEFINED ENV{VIRTUAL_ENV})
  execute_process(
    COMMAND $ENV{VIRTUAL_ENV}/bin/python -c
            "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE _torch_of_python OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  list(APPEND _torch_hints ${_torch_of_python})
endif()
list(APPEND _torch_hints ${CMAKE_SOURCE_DIR}/build/deps/torch ${RLHF_TORCH_ROOT})

find_path(TORCH_INCLUDE ATen/core/Tensor.h HINTS ${_torch_hints} PATH_SUFFIXES include NO_DEFAULT_PATH)
if(NOT TORCH_INCLUDE)
  message(FATAL_ERROR "LibTorch was not found in: ${_torch_hints}.\n"
                      "Run `make` (it fetches the pinned wheel), or pass -DTORCH_DIR=<folder with include/ and lib/>.")
endif()
cmake_path(GET TORCH_INCLUDE PARENT_PATH TORCH_ROOT)
find_library(TORCH_CPU_LIBRARY torch_cpu HINTS ${TORCH_ROOT}/lib NO_DEFAULT_PATH REQUIRED)
find_library(TORCH_C10_LIBRARY c10 HINTS ${TORCH_ROOT}/lib NO_DEFAULT_PATH REQUIRED)
file(STRINGS ${TORCH_INCLUDE}/torch/headeronly/version.h _torch_version REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX REPLACE "[^0-9;]" "" _torch_version "${_torch_version}")
list(JOIN _torch_version . TORCH_VERSION)
if(TORCH_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "LibTorch ${TORCH_VERSION} in ${TORCH_ROOT} is too old; 2.11 or newer is needed (2.15 is tested).")
endif()
message(STATUS "LibTorch ${TORCH_VERSION}: ${TORCH_ROOT}")

find_package(Threads REQUIRED)
add_library(torch::c10 SHARED IMPORTED)
set_target_properties(torch::c10 PROPERTIES IMPORTED_LOCATION ${TORCH_C10_LIBRARY})
add_library(torch::cpu SHARED IMPORTED)
set_target_properties(torch::cpu PROPERTIES
  IMPORTED_LOCATION ${TORCH_CPU_LIBRARY}
  INTERFACE_LINK_LIBRARIES "torch::c10;Threads::Threads")
if(EXISTS ${TORCH_INCLUDE}/fmt)
  # The wheel brings the headers of another fmt than the system's library: the system's folders have to come first.
  # (tools/setup leaves them out.)
  set_target_properties(torch::cpu PROPERTIES INTERFACE_COMPILE_OPTIONS
    "SHELL:-idirafter ${TORCH_INCLUDE};SHELL:-idirafter ${TORCH_INCLUDE}/torch/csrc/api/include")
else()
  set_target_properties(torch::cpu PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${TORCH_INCLUDE};${TORCH_INCLUDE}/torch/csrc/api/include")
endif()
# libtorch_cpu needs libcudart and libcupti at link time; they lie beside it as the wheels unpack them.
file(GLOB _cuda_companions LIST_DIRECTORIES true ${TORCH_ROOT}/../nvidia/cu1[0-9]/lib)
foreach(_folder ${_cuda_companions})
  set_property(TARGET torch::cpu APPEND PROPERTY INTERFACE_LINK_OPTIONS "LINKER:-rpath-link,${_folder}")
endforeach()
