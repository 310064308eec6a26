# cmake/WasmxDeps.cmake: the libraries behind libwasmx-compile, as wasmx::llvm, wasmx::elf and wasmx::wabt.
# Also installed: find_package(wasmx) reads it for its target wasmx::compile.
#
# LLVM is asked through llvm-config, not through its own CMake package: that one wants the development files of
# everything LLVM was built with, and all that is needed here is one header directory and one shared library.

function(wx_need what package)
    message(FATAL_ERROR "wasmx: ${what} not found. Debian package: ${package} (`make setup` installs all of them)")
endfunction()

function(wx_imported name library include)
    if(NOT TARGET ${name})
        add_library(${name} UNKNOWN IMPORTED)
        set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${library} INTERFACE_INCLUDE_DIRECTORIES ${include})
    endif()
endfunction()

function(wx_ask_llvm out)
    execute_process(COMMAND ${WASMX_LLVM_CONFIG} ${ARGN} OUTPUT_VARIABLE answer RESULT_VARIABLE status
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(status)
        message(FATAL_ERROR "wasmx: `${WASMX_LLVM_CONFIG} ${ARGN}` failed")
    endif()
    set(${out} ${answer} PARENT_SCOPE)
endfunction()

function(wx_find_llvm)
    find_program(WASMX_LLVM_CONFIG NAMES llvm-config-22 llvm-config-23 llvm-config-21 llvm-config-20 llvm-config-19
                 llvm-config DOC "llvm-config of LLVM 19 or later")
    if(NOT WASMX_LLVM_CONFIG)
        wx_need("LLVM (llvm-config)" llvm-22-dev)
    endif()
    wx_ask_llvm(version --version)
    if(version VERSION_LESS 19)
        message(FATAL_ERROR "wasmx: LLVM 19 or later is needed, ${WASMX_LLVM_CONFIG} is ${version}. "
                            "Debian package: llvm-22-dev; another place: -DWASMX_LLVM_CONFIG=PATH")
    endif()
    wx_ask_llvm(include --includedir)
    wx_ask_llvm(libdir --libdir)
    string(REGEX MATCH "^[0-9]+" major ${version})
    find_library(WASMX_LLVM_LIBRARY NAMES LLVM-${major} LLVM PATHS ${libdir} NO_DEFAULT_PATH)
    if(NOT WASMX_LLVM_LIBRARY OR NOT EXISTS ${include}/llvm-c/Core.h)
        wx_need("the LLVM ${major} shared library with its C headers" llvm-${major}-dev)
    endif()
    set(WASMX_LLVM_VERSION ${version} CACHE INTERNAL "")
    # An option that a version does not know would end the process.
    execute_process(COMMAND grep -qa grow-region-complexity-budget ${WASMX_LLVM_LIBRARY} RESULT_VARIABLE unknown)
    if(NOT unknown)
        set(WASMX_LLVM_DEFINITIONS WX_LLVM_HAS_REGION_BUDGET CACHE INTERNAL "")
    endif()
    wx_imported(wasmx::llvm ${WASMX_LLVM_LIBRARY} ${include})
endfunction()

function(wx_find_plain name header package)
    string(TOUPPER ${name} upper)
    find_library(WASMX_${upper}_LIBRARY ${name})
    find_path(WASMX_${upper}_INCLUDE ${header})
    if(NOT WASMX_${upper}_LIBRARY OR NOT WASMX_${upper}_INCLUDE)
        wx_need("lib${name}" ${package})
    endif()
    wx_imported(wasmx::${name} ${WASMX_${upper}_LIBRARY} ${WASMX_${upper}_INCLUDE})
endfunction()

# An allocator for the programs, by being linked: a tenth of LLVM's time is the C library's malloc.
function(wx_find_allocator)
    find_library(WASMX_MIMALLOC_LIBRARY mimalloc)
    if(NOT WASMX_MIMALLOC_LIBRARY)
        wx_need(libmimalloc libmimalloc-dev)
    endif()
    add_library(wasmx::allocator INTERFACE IMPORTED)
    target_link_libraries(wasmx::allocator INTERFACE -Wl,--push-state,--no-as-needed ${WASMX_MIMALLOC_LIBRARY}
                          -Wl,--pop-state)
endfunction()

find_package(Threads REQUIRED)
wx_find_llvm()
wx_find_plain(elf libelf.h libelf-dev)
wx_find_plain(wabt wabt/wast-parser.h wabt)
set_property(TARGET wasmx::wabt PROPERTY INTERFACE_LINK_LIBRARIES stdc++) # it is C++, its user may be C only
