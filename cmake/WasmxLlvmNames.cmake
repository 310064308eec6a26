# cmake/WasmxLlvmNames.cmake: a script: which functions of LLVM's C interface an archive calls, one LLVM(name) a line.
# cmake -DNM=nm -DARCHIVE=libwasmx-compile.a -DOUT=llvm_names.h -P cmake/WasmxLlvmNames.cmake
execute_process(COMMAND ${NM} -u ${ARCHIVE} OUTPUT_VARIABLE undefined ERROR_QUIET RESULT_VARIABLE status)
if(status)
    message(FATAL_ERROR "wasmx: `${NM} -u ${ARCHIVE}` failed")
endif()
string(REGEX MATCHALL " U LLVM[A-Za-z0-9_]+" names "${undefined}")
list(REMOVE_DUPLICATES names)
list(SORT names)
list(TRANSFORM names REPLACE " U (.*)" "LLVM(\\1)")
list(JOIN names "\n" text)
file(WRITE ${OUT} "${text}\n")
