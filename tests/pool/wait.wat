;; What tests/pool/async.c calls: waits in the host, spins, faults, recurses.
(module
  (import "h" "wait" (func $wait (param i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 70000) "image")
  (func (export "sum") (param i32) (result i32) (local $s i32)
    (loop $l
      (local.set $s (i32.add (local.get $s) (call $wait (local.get 0))))
      (i32.store (i32.mul (local.get 0) (i32.const 64)) (local.get $s))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $s))
  (func (export "spin") (param i32) (result i32)
    (drop (call $wait (i32.const 0)))
    (loop $l (br $l)) (i32.const 0))
  (func (export "fault") (param i32) (result i32)
    (drop (call $wait (i32.const 0)))
    (i32.load (i32.const -1)))
  (func $deep (export "deep") (param i32) (result i32)
    (i32.add (i32.const 1) (call $deep (call $wait (i32.const 0))))))
