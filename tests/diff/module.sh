# shellcheck shell=bash
# tests/diff/module.sh: sourced: a random valid module, the same for the same seed.
features="--enable-bulk-memory --enable-multivalue --enable-sign-ext
    --enable-nontrapping-float-to-int --enable-mutable-globals --enable-tail-call --enable-threads"

make_module() { # SEED FILE
    local extra=
    [ $(($1 % 2)) = 0 ] || extra=--enable-simd
    node -e 'let x = Number(process.argv[1]) * 2654435761 >>> 0 || 1; const b = Buffer.alloc(2000 + x % 6000);
        for (let i = 0; i < b.length; i++) { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; b[i] = x >>> 8; }
        fs.writeFileSync(process.argv[2], b)' "$1" "$2.seed"
    # shellcheck disable=SC2086
    wasm-opt -ttf "$2.seed" --denan $features $extra -o "$2" >/dev/null 2>&1
}
