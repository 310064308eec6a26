;; Explicit bounds of a loop are compared before it, whatever the count and the addresses are, and in a memory that
;; grows. What is left is vectorised as it is with guard pages. The other copy of the loop has its checks.
;; build: -O2 --bounds=explicit --emit=asm
;; CHECK-LABEL: t.scale:
;; CHECK: mulpd
;; CHECK: movupd %xmm
;; CHECK: mulsd
;; CHECK: ud1l 2(
;; CHECK: .size t.scale,
;; build: -O2 --bounds=explicit --emit=llvm-ir --target=aarch64-linux-gnu
;; CHECK2-LABEL: define {{.*}}@t.scale
;; CHECK2: fmul <2 x double>
(module
  (memory (export "memory") 4)
  (func (export "grow") (drop (memory.grow (i32.const 1))))
  (func $scale (export "scale") (param $to i32) (param $from i32) (param $n i32)
    (loop $next
      (f64.store (local.get $to) (f64.mul (f64.const 0.2) (f64.load (local.get $from))))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
