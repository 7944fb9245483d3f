# `make install`, and find_package(rlhf CONFIG) for projects of users:
#
#   find_package(rlhf CONFIG REQUIRED)
#   target_link_libraries(my_trainer PRIVATE rlhf::rlhf)        # or single folders: rlhf::algorithms, rlhf::rewards, ...
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/rlhf)

# rlhf::rlhf is everything.
add_library(rlhf_all INTERFACE)
set_target_properties(rlhf_all PROPERTIES EXPORT_NAME rlhf)
set(_exported rlhf_all)
foreach(name core text data feedback environments models generation rewards algorithms evaluation control serving recipes)
  if(TARGET rlhf_${name})
    set_target_properties(rlhf_${name} PROPERTIES EXPORT_NAME ${name})
    target_link_libraries(rlhf_all INTERFACE rlhf_${name})
    list(APPEND _exported rlhf_${name})
  endif()
endforeach()

install(TARGETS ${_exported} EXPORT rlhf-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT rlhf-targets NAMESPACE rlhf:: DESTINATION ${_package_folder})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/rlhf DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN detail EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/recipes DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(TARGET rlhf)
  set_target_properties(rlhf PROPERTIES INSTALL_RPATH ${TORCH_ROOT}/lib)
  install(TARGETS rlhf RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# The Rust crate is an imported library, which no export file can carry: it is installed as a file and named again there.
set(RLHF_RUST_FILE "")
if(TARGET rlhf_rust)
  get_target_property(_rust_location rlhf_rust IMPORTED_LOCATION)
  cmake_path(GET _rust_location FILENAME RLHF_RUST_FILE)
  install(FILES ${_rust_location} DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

set(RLHF_TORCH_ROOT ${TORCH_ROOT})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/rlhf-config.cmake.in ${CMAKE_BINARY_DIR}/rlhf-config.cmake
  INSTALL_DESTINATION ${_package_folder} PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/rlhf-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/rlhf-config.cmake ${CMAKE_BINARY_DIR}/rlhf-config-version.cmake
              ${CMAKE_CURRENT_LIST_DIR}/torch.cmake ${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake
        DESTINATION ${_package_folder})
