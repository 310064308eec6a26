;; A load whose value has more ways to its use than are walked stays volatile, and its trap stays; one whose result is
;; dropped by a mask traps as well.
;; run: f -1
;; run: f 0
;; CHECK: out of bounds memory access
;; CHECK: 0
(module
  (memory 1)
  (func (export "f") (param i32) (result i32) (local i32 i32)
    (local.set 1 (i32.load (local.get 0)))
    (local.set 2 (i32.mul (local.get 1) (local.get 1)))
    (local.set 1 (i32.add (local.get 2) (local.get 1)))
    (local.set 2 (i32.mul (local.get 1) (local.get 1)))
    (i32.and (i32.add (local.get 2) (local.get 1)) (i32.const 0))))
