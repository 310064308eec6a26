# cmake/WasmxCross.cmake: lib/<triple>/libwasmx.a for the architecture this build is not for.
#
# The runtime is a dozen C files without dependencies, so plain commands do: one per source, with the compiler's own
# list of headers as dependencies, and one for the archive. Nothing happens when there is no <triple>-gcc.

function(wx_cross_object out source triple gcc)
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${source})
    set(object ${PROJECT_BINARY_DIR}/cross/${triple}/${name}.o)
    get_filename_component(folder ${object} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    list(TRANSFORM WX_DEFINITIONS PREPEND -D OUTPUT_VARIABLE defines)
    separate_arguments(flags UNIX_COMMAND "${CMAKE_C_FLAGS_${WX_BUILD_TYPE}}")
    add_custom_command(OUTPUT ${object}
        COMMAND ${gcc} -std=gnu11 ${flags} ${WX_COMMON_OPTIONS} ${WX_RUNTIME_OPTIONS} -fPIC -fvisibility=hidden
                ${defines} -I${PROJECT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/include
                -MD -MT ${object} -MF ${object}.d -c ${source} -o ${object}
        DEPENDS ${source} DEPFILE ${object}.d COMMENT "Building for ${triple}: ${name}" VERBATIM)
    set(${out} ${object} PARENT_SCOPE)
endfunction()

function(wx_cross_library triple)
    string(REGEX MATCH "^[^-]+" arch ${triple})
    string(TOUPPER ${CMAKE_BUILD_TYPE} WX_BUILD_TYPE)
    find_program(WASMX_CC_${arch} ${triple}-gcc)
    find_program(WASMX_AR_${arch} ${triple}-ar)
    if(arch STREQUAL CMAKE_SYSTEM_PROCESSOR OR NOT WASMX_CC_${arch} OR NOT WASMX_AR_${arch} OR WASMX_SANITIZE)
        return()
    endif()
    wx_runtime_sources(sources ${arch})
    set(objects)
    foreach(source ${sources})
        wx_cross_object(object ${source} ${triple} ${WASMX_CC_${arch}})
        list(APPEND objects ${object})
    endforeach()
    set(archive ${CMAKE_ARCHIVE_OUTPUT_DIRECTORY}/${triple}/libwasmx.a)
    file(MAKE_DIRECTORY ${CMAKE_ARCHIVE_OUTPUT_DIRECTORY}/${triple})
    add_custom_command(OUTPUT ${archive}
        COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
        COMMAND ${WASMX_AR_${arch}} rcsD ${archive} ${objects}
        DEPENDS ${objects} COMMENT "Linking for ${triple}: libwasmx.a" VERBATIM)
    add_custom_target(wasmx-${arch} ALL DEPENDS ${archive})
    install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR}/${triple})
endfunction()
