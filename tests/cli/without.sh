# tests/cli/without.sh: runs a command as if LLVM were not installed; the version of LLVM is left out of what it says.
LD_AUDIT=./without.so "$@" > said 2>&1
status=$?
sed 's/libLLVM[^ ]*/libLLVM/; s/libllvm[0-9]*/libllvm/' said
exit $status
