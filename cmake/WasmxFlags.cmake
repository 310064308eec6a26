# cmake/WasmxFlags.cmake: how every file is compiled, and where the results go.
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
foreach(lang C CXX ASM)
    set(CMAKE_${lang}_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
    set(CMAKE_${lang}_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")
endforeach()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON) # libwasmx.a goes into shared objects too
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# The same bytes from any checkout: no source path gets into an object.
set(WX_COMMON_OPTIONS -Wall -Wextra -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(WASMX_WERROR)
    list(APPEND WX_COMMON_OPTIONS -Werror)
endif()
set(WX_DEFINITIONS _GNU_SOURCE WASMX_VERSION="${PROJECT_VERSION}")
# A static executable takes from libwasmx only what it uses.
# Backtraces walk frame pointers.
set(WX_RUNTIME_OPTIONS -ffunction-sections -fdata-sections -fno-omit-frame-pointer)

# Backtraces pass through the interpreter. It lives of one indirect jump a handler, and rounds as the standard says.
set(WX_INTERP_OPTIONS -fno-omit-frame-pointer -fno-math-errno -ffp-contract=off)
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
    list(APPEND WX_INTERP_OPTIONS -fno-gcse -fno-crossjumping)
endif()

add_compile_options(${WX_COMMON_OPTIONS})
add_compile_definitions(${WX_DEFINITIONS})
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)

if(WASMX_SANITIZE)
    add_compile_options(-fsanitize=${WASMX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${WASMX_SANITIZE})
endif()
if(WASMX_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "WASMX_FUZZ needs clang: use the preset `fuzz` (Debian packages clang-22, libclang-rt-22-dev)")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
