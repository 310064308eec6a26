# cmake/WasmxStencils.cmake: interp/stencils/ becomes a table of machine code, in the build directory.
#
# The compiler has to be clang, whatever compiles the rest: no other one keeps arguments of its own choice in registers
# across tail calls (preserve_none, musttail). The code has no position of its own, no frames, no tables.

set(WX_STENCIL_OPTIONS -std=gnu11 -Os -fno-pic -mcmodel=small -march=x86-64 -fomit-frame-pointer -ffunction-sections
    -fno-asynchronous-unwind-tables -fno-stack-protector -fcf-protection=none -fno-jump-tables -fno-strict-aliasing
    -fno-math-errno -ffp-contract=off -g0 -Wall -Wextra)

function(wx_find_clang)
    find_program(WASMX_CLANG NAMES clang-22 clang-23 clang-21 clang-20 clang-19 clang DOC "clang 19 or later")
    if(NOT WASMX_CLANG)
        wx_need("clang" clang-22)
    endif()
    execute_process(COMMAND ${WASMX_CLANG} -dumpversion OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(version VERSION_LESS 19)
        message(FATAL_ERROR "wasmx: clang 19 or later is needed for interp/stencils, ${WASMX_CLANG} is '${version}'. "
                            "Debian package: clang-22; another place: -DWASMX_CLANG=PATH")
    endif()
endfunction()

# wx_stencils(LIST): adds the table to the sources, where this architecture has one.
function(wx_stencils list)
    if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
        return()
    endif()
    wx_find_clang()
    if(WASMX_WERROR)
        list(APPEND WX_STENCIL_OPTIONS -Werror)
    endif()
    set(source ${PROJECT_SOURCE_DIR}/interp/stencils/stencils.c)
    set(folder ${PROJECT_BINARY_DIR}/stencils)
    file(MAKE_DIRECTORY ${folder})
    list(TRANSFORM WX_DEFINITIONS PREPEND -D OUTPUT_VARIABLE defines)
    add_executable(stencil_tool ${PROJECT_SOURCE_DIR}/interp/stencils/tool.c)
    set_target_properties(stencil_tool PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${folder})
    add_custom_command(OUTPUT ${folder}/stencils.o
        COMMAND ${WASMX_CLANG} ${WX_STENCIL_OPTIONS} ${defines} -I${PROJECT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/include
                -MD -MT ${folder}/stencils.o -MF ${folder}/stencils.o.d -c ${source} -o ${folder}/stencils.o
        DEPENDS ${source} DEPFILE ${folder}/stencils.o.d COMMENT "Building stencils" VERBATIM)
    add_custom_command(OUTPUT ${folder}/table.c
        COMMAND stencil_tool ${folder}/stencils.o ${folder}/table.c
        DEPENDS stencil_tool ${folder}/stencils.o COMMENT "Writing the table of stencils" VERBATIM)
    set(${list} ${${list}} ${folder}/table.c PARENT_SCOPE)
endfunction()
