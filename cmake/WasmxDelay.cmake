# cmake/WasmxDelay.cmake: programs that load LLVM when they call it (delay/). wx_delay_llvm(PROGRAM...)
#
# libwasmx-compile.a stays as it is: such a program has definitions of LLVM's functions of its own, so LLVM is not linked,
# and of what needs its classes, so that is not taken from the archive. Instrumented programs link LLVM like any library.

function(wx_ask_soname out)
    file(REAL_PATH ${WASMX_LLVM_LIBRARY} path)
    execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${path} OUTPUT_VARIABLE headers ERROR_QUIET)
    string(REGEX MATCH "SONAME +([^\n ]+)" found "${headers}")
    set(${out} ${CMAKE_MATCH_1} PARENT_SCOPE)
    if(NOT found)
        message(FATAL_ERROR "wasmx: ${path} has no soname")
    endif()
endfunction()

function(wx_delay_objects)
    set(names ${PROJECT_BINARY_DIR}/delay/llvm_names.h)
    set(script ${PROJECT_SOURCE_DIR}/cmake/WasmxLlvmNames.cmake)
    add_custom_command(OUTPUT ${names}
        COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DARCHIVE=$<TARGET_FILE:wasmx-compile> -DOUT=${names} -P ${script}
        DEPENDS wasmx-compile ${script} COMMENT "Listing what is called of LLVM" VERBATIM)
    wx_sources(sources delay)
    wx_ask_soname(soname)
    string(REGEX MATCH "^[0-9]+" major ${WASMX_LLVM_VERSION})
    set_source_files_properties(${sources} PROPERTIES OBJECT_DEPENDS ${names})
    add_library(wasmx-delay OBJECT ${sources} ${names})
    target_include_directories(wasmx-delay PRIVATE ${PROJECT_BINARY_DIR}/delay)
    target_compile_definitions(wasmx-delay PRIVATE WX_LLVM_NAME="${soname}" WX_LLVM_PATH="${WASMX_LLVM_LIBRARY}"
                               WX_LLVM_PACKAGE="libllvm${major}")
endfunction()

function(wx_dwarf_reader)
    file(GLOB base CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/base/*.c)
    add_library(wasmx-dwarf MODULE ${PROJECT_SOURCE_DIR}/compiler/dwarf.cc ${base})
    set_target_properties(wasmx-dwarf PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET default)
    target_link_libraries(wasmx-dwarf PRIVATE wasmx::llvm Threads::Threads)
    install(TARGETS wasmx-dwarf DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

function(wx_delay_llvm)
    wx_delay_objects()
    wx_dwarf_reader()
    foreach(program ${ARGN})
        set_target_properties(${program} PROPERTIES WASMX_DELAYS_LLVM ON) # wasmx-compile looks at it
        target_sources(${program} PRIVATE $<TARGET_OBJECTS:wasmx-delay>)
        target_link_libraries(${program} PRIVATE ${CMAKE_DL_LIBS})
    endforeach()
endfunction()
