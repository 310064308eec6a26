;; A name section may hold any names, those of the compiler's own symbols and the same one twice among them: the object
;; was refused by the assembler, or a call went to the wrong function.
;; run: go
;; run: two
;; CHECK: 1111111
;; CHECK: 20
(module
  (func $f1 (result i32) (i32.const 1))
  (func $wx.thunk.0 (result i32) (i32.const 10))
  (func $wx.func.1 (result i32) (i32.const 100))
  (func $wx.init (result i32) (i32.const 1000))
  (func $t (result i32) (i32.const 10000))
  (func $t.wx.map (result i32) (i32.const 100000))
  (func $wx.text_start (result i32) (i32.const 1000000))
  (table 2 funcref)
  (elem (i32.const 0) $wx.thunk.0 $wx.thunk.0)
  (func $main (export "go") (result i32)
    (i32.add (i32.add (i32.add (call $f1) (call $wx.thunk.0)) (i32.add (call $wx.func.1) (call $wx.init)))
             (i32.add (i32.add (call $t) (call $t.wx.map)) (call $wx.text_start))))
  (func $wx.text_end (export "two") (result i32)
    (i32.add (call_indirect (result i32) (i32.const 0)) (call_indirect (result i32) (i32.const 1)))))
