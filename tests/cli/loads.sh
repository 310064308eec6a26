# tests/cli/loads.sh: runs a command, and says whether it loaded LLVM.
LD_DEBUG=files LD_DEBUG_OUTPUT=./debug "$@" >/dev/null || echo "$1 failed"
grep -q libLLVM debug.* && echo "with LLVM: $*" || echo "without: $*"
rm debug.*
