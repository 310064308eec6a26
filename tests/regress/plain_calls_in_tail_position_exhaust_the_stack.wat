;; A call in tail position is still a call: LLVM made endless loops of such recursion, which must trap.
;; run: self
;; run: even 0
;; CHECK: call stack exhausted
;; CHECK: call stack exhausted
(module
  (func $self (export "self") (call $self))
  (func $even (export "even") (param i32) (result i32) (call $odd (i32.add (local.get 0) (i32.const 1))))
  (func $odd (param i32) (result i32) (call $even (i32.add (local.get 0) (i32.const 1)))))
