;; Every 16th word, doubled: with AVX-512 LLVM would gather and scatter it. Names of CPUs keep it from doing so, and Zen 4 does without
;; AVX-512 unless it is asked for; a level is taken at its word.
;; build: -O2 --emit=asm --target=x86_64-linux-gnu --cpu=x86-64-v4
;; CHECK-LABEL: t.stride:
;; CHECK: {{gather|scatter}}
;; build: -O2 --emit=asm --target=x86_64-linux-gnu --cpu=skylake-avx512
;; CHECK2-LABEL: t.stride:
;; CHECK2-NOT: {{gather|scatter|%zmm}}
;; CHECK2: t.scale:
;; build: -O2 --emit=asm --target=x86_64-linux-gnu --cpu=znver4
;; CHECK3-LABEL: t.stride:
;; CHECK3-NOT: {{gather|scatter|%zmm|%k[1-7]}}
;; CHECK3: t.scale:
;; CHECK3: %ymm
;; build: -O2 --emit=asm --target=x86_64-linux-gnu --cpu=znver4 --features=+avx512f,+avx512vl,+avx512bw,+avx512dq
;; CHECK4-LABEL: t.scale:
;; CHECK4: %zmm
(module
  (memory (export "memory") 16)
  (func $stride (export "stride") (param $a i32) (local $i i32)
    (loop $next
      (i32.store (i32.add (local.get $a) (local.get $i)) (i32.add (i32.const 1) (i32.mul (i32.const 3)
        (i32.load (i32.add (local.get $a) (local.get $i))))))
      (br_if $next (i32.ne (i32.const 524288) (local.tee $i (i32.add (local.get $i) (i32.const 64)))))))
  (func $scale (export "scale") (param $a i32) (local $i i32)
    (loop $next
      (i32.store (i32.add (local.get $a) (local.get $i)) (i32.add (i32.const 1) (i32.mul (i32.const 3)
        (i32.load (i32.add (local.get $a) (local.get $i))))))
      (br_if $next (i32.ne (i32.const 524288) (local.tee $i (i32.add (local.get $i) (i32.const 4))))))))
