;; A command for profile.txt: an indirect call that is nearly always $add, a branch that is hardly ever taken, a
;; function that never runs. It exits with the low bits of what it computed.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (type $op (func (param i32 i32) (result i32)))
  (table funcref (elem $add $sub))
  (func $add (type $op) (i32.add (local.get 0) (local.get 1)))
  (func $sub (type $op) (i32.sub (local.get 0) (local.get 1)))
  (func $never (param i32) (result i32) (i32.load (local.get 0)))
  (func $setup (i32.store (i32.const 16) (i32.const 5)))
  (func $main (result i32) (local $i i32) (local $x i32)
    (loop $next
      (local.set $x (call_indirect (type $op) (local.get $x) (local.get $i)
                                   (i32.eqz (i32.and (local.get $i) (i32.const 63)))))
      (if (i32.eq (local.get $x) (i32.const 123456789)) (then (local.set $x (call $never (local.get $x)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
    (local.get $x))
  (func (export "_start") (call $setup) (call $exit (i32.and (call $main) (i32.const 63)))))
