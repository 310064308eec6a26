;; bench/guest.wat: what bench/embed.c calls: an addition, and a loop of calls to the host.
(module
  (import "env" "tick" (func $tick (param i32) (result i32)))
  (memory (export "memory") 16)
  (data (i32.const 1024) "a page that is not zero")
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "ticks") (param $n i32) (result i32)
    (local $x i32)
    (loop $again
      (local.set $x (call $tick (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))
