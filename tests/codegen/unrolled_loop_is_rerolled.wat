;; Two copies of c[j] += a * b[j], as clang unrolls them: one copy again, and vectors of it. The second function leaves in
;; the middle, as a loop of an odd count does, and keeps what it loaded for the next copy.
;; build: -O2 --emit=llvm-ir
;; CHECK-LABEL: define {{.*}}@t.row(
;; CHECK-NOT: memcheck
;; CHECK: fmul <2 x double>
;; CHECK-NOT: shufflevector <{{.*}}> {{.*}}, <2 x i32> <i32 0, i32 2>
;; CHECK: ret void
;; CHECK-LABEL: define {{.*}}@t.field(
;; CHECK: fmul <2 x double>
;; CHECK: ret void
(module
  (memory (export "memory") 4)
  (func $row (export "row") (param $a f64) (local $j i32)
    (loop $next
      (f64.store (i32.add (local.get $j) (i32.const 8192))
        (f64.add (f64.load (i32.add (local.get $j) (i32.const 8192)))
          (f64.mul (local.get $a) (f64.load (i32.add (local.get $j) (i32.const 65536))))))
      (f64.store (i32.add (local.get $j) (i32.const 8200))
        (f64.add (f64.load (i32.add (local.get $j) (i32.const 8200)))
          (f64.mul (local.get $a) (f64.load (i32.add (local.get $j) (i32.const 65544))))))
      (br_if $next (i32.ne (local.tee $j (i32.add (local.get $j) (i32.const 16))) (i32.const 7040)))))
  (func $field (export "field") (local $i i32) (local $here f64)
    (local.set $i (i32.const -3984))
    (block $out
      (loop $next
        (f64.store (i32.add (local.get $i) (i32.const 72200))
          (f64.sub (f64.load (i32.add (local.get $i) (i32.const 72200)))
            (f64.mul (f64.const 0.5)
              (f64.sub (local.tee $here (f64.load (i32.add (local.get $i) (i32.const 142200))))
                (f64.load (i32.add (local.get $i) (i32.const 142192)))))))
        (br_if $out (i32.eqz (local.get $i)))
        (f64.store (i32.add (local.get $i) (i32.const 72208))
          (f64.sub (f64.load (i32.add (local.get $i) (i32.const 72208)))
            (f64.mul (f64.const 0.5)
              (f64.sub (f64.load (i32.add (local.get $i) (i32.const 142208))) (local.get $here)))))
        (local.set $i (i32.add (local.get $i) (i32.const 16)))
        (br $next)))))
