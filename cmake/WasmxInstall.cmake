# cmake/WasmxInstall.cmake: headers, libraries, programs, man pages, wasmx.pc and find_package(wasmx).
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/wasmx)

# wx_install_libraries(NAME TARGET...): the targets that exist, exported as wasmx-NAME-targets.cmake. There are two
# such sets because the second one speaks of LLVM, which the user of the first need not have.
function(wx_install_libraries name)
    foreach(target ${ARGN})
        if(TARGET ${target})
            install(TARGETS ${target} EXPORT wasmx-${name}-targets DESTINATION ${CMAKE_INSTALL_LIBDIR})
            set(any TRUE)
        endif()
    endforeach()
    if(any)
        install(EXPORT wasmx-${name}-targets NAMESPACE wasmx:: DESTINATION ${package_dir})
    endif()
endfunction()

wx_install_libraries(runtime wasmx wasmx-shared)
wx_install_libraries(compile wasmx-compile)
foreach(program wasmx-aot wasmx-snapshot)
    if(TARGET ${program})
        install(TARGETS ${program} DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
endforeach()

file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.h ${PROJECT_SOURCE_DIR}/include/*.def)
file(GLOB manuals CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.1)
install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${manuals} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# wasmx.pc finds its prefix from its own place, so an installed tree may be moved.
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/wasmx.pc.in wasmx.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/wasmx.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/wasmx-config.cmake.in wasmx-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(wasmx-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/wasmx-config.cmake ${PROJECT_BINARY_DIR}/wasmx-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/WasmxDeps.cmake DESTINATION ${package_dir})
