;; A load whose value nobody needs keeps its trap: dropped, subtracted from itself, or needed on one path only.
;; run: dropped 0x10000
;; run: cancelled 0x10000
;; run: one_path 0x10000 0
;; run: one_path 8 0
;; CHECK: out of bounds memory access
;; CHECK: out of bounds memory access
;; CHECK: out of bounds memory access
;; CHECK-NOT: out of bounds
;; CHECK: {{^}}7
(module
  (memory 1 1)
  (func (export "dropped") (param i32) (drop (i32.load (local.get 0))))
  (func (export "cancelled") (param i32) (result i32)
    (local $x i32)
    (i32.sub (local.tee $x (i32.load (local.get 0))) (local.get $x)))
  (func (export "one_path") (param i32 i32) (result i32)
    (local $x i32)
    (local.set $x (i32.load (local.get 0)))
    (if (result i32) (local.get 1) (then (i32.add (local.get $x) (i32.const 1))) (else (i32.const 7)))))
