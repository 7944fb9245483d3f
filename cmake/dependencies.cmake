# Everything else comes from the system's packages (tools/system-packages.txt names them).
find_package(nlohmann_json 3.11 REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
# Pages once touched stay with the process: on virtual machines a first touch costs more than the arithmetic done on it.
find_library(JEMALLOC_LIBRARY jemalloc)
