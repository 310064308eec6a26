# cmake/WasmxSources.cmake: which files make a target. Globs are checked at every build (CONFIGURE_DEPENDS).

# wx_without_others(LIST ARCH): takes out the files of other architectures, named *_<arch>.c, *_<arch>.S.
macro(wx_without_others list arch)
    foreach(other x86_64 aarch64)
        if(NOT ${arch} STREQUAL other)
            list(FILTER ${list} EXCLUDE REGEX "_${other}\\.[cS]$")
        endif()
    endforeach()
endmacro()

# wx_sources(OUT FOLDER...): the C, C++ and assembly files of some folders, for the machine we build on.
function(wx_sources out)
    set(all)
    foreach(folder ${ARGN})
        file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c ${PROJECT_SOURCE_DIR}/${folder}/*.cc
             ${PROJECT_SOURCE_DIR}/${folder}/*.S)
        list(APPEND all ${found})
    endforeach()
    wx_without_others(all ${CMAKE_SYSTEM_PROCESSOR})
    set(${out} ${all} PARENT_SCOPE)
endfunction()

# wx_runtime_sources(OUT ARCH): runtime/ for one architecture: everything but the platform files of the others,
# which live in runtime/<arch>/ or are named so.
function(wx_runtime_sources out arch)
    set(root ${PROJECT_SOURCE_DIR}/runtime)
    file(GLOB all CONFIGURE_DEPENDS ${root}/*.c ${root}/*.S ${root}/wasi/*.c ${root}/${arch}/*.c
         ${root}/${arch}/*.S)
    wx_without_others(all ${arch})
    set(${out} ${all} PARENT_SCOPE)
endfunction()

# wx_public_headers(TARGET): include/ as users see it, from the tree and once installed.
function(wx_public_headers target)
    target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()
