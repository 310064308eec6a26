;; clang counts loops from below up to zero, and adds the base to the counter in 32 bits: b[i] = (a[i-1] + a[i+1]) * 0.2.
;; The loop has a vector body and nothing before it that compares at run time where a and b are.
;; build: -O2 --emit=asm
;; CHECK-LABEL: t.stencil:
;; CHECK-NOT: cmp
;; CHECK: mulpd
;; CHECK: movupd %xmm{{[0-9]+}}, {{.*}}(%r13
;; build: -O2 --emit=llvm-ir --target=aarch64-linux-gnu
;; CHECK2-LABEL: define {{.*}}@t.stencil
;; CHECK2-NOT: memcheck
;; CHECK2: fmul <{{[248]}} x double>
(module
  (memory (export "memory") 4)
  (func $stencil (export "stencil") (local $i i32) (local $x f64) (local $y f64)
    (local.set $i (i32.const -3984))
    (loop $next
      (f64.store (i32.add (local.get $i) (i32.const 136000))
        (f64.mul (f64.const 0.2)
          (f64.add (f64.load (i32.add (local.get $i) (i32.const 35984))) (f64.load (i32.add (local.get $i) (i32.const 36000))))))
      (br_if $next (local.tee $i (i32.add (local.get $i) (i32.const 8)))))))
