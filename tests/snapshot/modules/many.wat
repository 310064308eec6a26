;; More runs of bytes than segments are allowed: a byte every 24, gaps of other lengths between.
(module
  (memory (export "memory") 8)
  (func (export "wizer-initialize") (local $i i32) (local $at i32)
    (loop $more
      (i32.store8 (local.get $at) (i32.or (local.get $i) (i32.const 1)))
      (local.set $at (i32.add (local.get $at) (i32.add (i32.const 24) (i32.rem_u (local.get $i) (i32.const 7)))))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 15000)))))
  (func (export "at") (param i32) (result i32) (i32.load8_u (local.get 0))))
