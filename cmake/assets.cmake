# rlhf_assets(<target> <name> FOLDER <folder> [DEPENDS <file or target>...]): compiles every file of a folder into the
# target as `const std::vector<rlhf::serving::Asset>& <name>()` (rlhf/serving/assets.h), plain and compressed. The bytes
# go through the assembler (.incbin), so that a megabyte costs no compile time. The folder may be made by the build: DEPENDS
# says by what, and then what it holds is read afresh whenever that changes.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
function(rlhf_assets target name)
  cmake_parse_arguments(PARSE_ARGV 2 assets "" "FOLDER" "DEPENDS")
  cmake_path(ABSOLUTE_PATH assets_FOLDER)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${name})
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${assets_FOLDER}/*)
  set(script ${PROJECT_SOURCE_DIR}/tools/embed_assets.py)
  add_custom_command(OUTPUT ${made}.cpp ${made}.S
    COMMAND Python3::Interpreter ${script} ${assets_FOLDER} ${name} ${made}
    DEPENDS ${script} ${files} ${assets_DEPENDS}
    COMMENT "Embedding ${assets_FOLDER}")
  set_source_files_properties(${made}.S PROPERTIES LANGUAGE C COMPILE_OPTIONS "-x;assembler-with-cpp")
  target_sources(${target} PRIVATE ${made}.cpp ${made}.S)
endfunction()
