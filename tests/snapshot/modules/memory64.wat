;; State behind 64-bit addresses: a memory that was grown, a passive segment that the initialiser has used.
(module
  (memory (export "memory") i64 1 10)
  (data (i64.const 32) "active")
  (data $later "passive")
  (func (export "wizer-initialize")
    (drop (memory.grow (i64.const 2)))
    (i64.store (i64.const 131080) (i64.const 0x1122334455667788))
    (memory.init $later (i64.const 64) (i32.const 0) (i32.const 7))
    (memory.copy (i64.const 300) (i64.const 32) (i64.const 6)))
  (func (export "load") (param i32) (result i64) (i64.load (i64.extend_i32_u (i32.and (local.get 0) (i32.const 0xffff)))))
  (func (export "far") (result i64) (i64.load (i64.const 131080)))
  (func (export "size") (result i64) (memory.size)))
