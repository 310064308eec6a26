;; A function that uses nothing of its instance still needs it for the stack check; LLVM dropped the unused parameter of
;; an internal function, and the recursion ran into the guard page.
;; run: down 1
;; CHECK: call stack exhausted
(module
  (func $f (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (call $f (local.get 0)) (i32.const 1)))
      (else (i32.const 0))))
  (func (export "down") (param i32) (result i32) (call $f (local.get 0))))
