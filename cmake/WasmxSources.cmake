# cmake/WasmxSources.cmake: which files make a target. Globs are checked at every build (CONFIGURE_DEPENDS).

# wx_sources(OUT FOLDER...): the C and C++ files of some folders.
function(wx_sources out)
    set(all)
    foreach(folder ${ARGN})
        file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c ${PROJECT_SOURCE_DIR}/${folder}/*.cc)
        list(APPEND all ${found})
    endforeach()
    set(${out} ${all} PARENT_SCOPE)
endfunction()

# wx_runtime_sources(OUT ARCH): runtime/ for one architecture: everything but the platform files of the others,
# which live in runtime/<arch>/ or are named *_<arch>.c, *_<arch>.S.
function(wx_runtime_sources out arch)
    set(root ${PROJECT_SOURCE_DIR}/runtime)
    file(GLOB all CONFIGURE_DEPENDS ${root}/*.c ${root}/*.S ${root}/wasi/*.c ${root}/${arch}/*.c
         ${root}/${arch}/*.S)
    foreach(other x86_64 aarch64)
        if(NOT arch STREQUAL other)
            list(FILTER all EXCLUDE REGEX "_${other}\\.[cS]$")
        endif()
    endforeach()
    set(${out} ${all} PARENT_SCOPE)
endfunction()

# wx_public_headers(TARGET): include/ as users see it, from the tree and once installed.
function(wx_public_headers target)
    target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()
