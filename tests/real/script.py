# tests/real/script.py: what CPython is asked to do: a bit of everything, then an exception nobody catches.
import collections, decimal, functools, hashlib, itertools, json, math, os, re, sys, textwrap, zlib


def fact(n):
    return 1 if n < 2 else n * fact(n - 1)


print(sys.argv[1:], sorted(name for name in os.listdir("/data") if name.endswith(".py")))
print(fact(50), math.isclose(sum(1 / fact(n) for n in range(20)), math.e), 0.1 + 0.2, 1e308 * 10, -7 // 2, -7 % 3)
print(json.dumps({"a": [1, 2.5, None, True], "b": {"c": "\u00e9"}}, sort_keys=True), json.loads("[1, {}]"))
print(re.sub(r"(\w+)@(\w+)", r"\2 at \1", "joe@example sue@test"), re.findall("a+", "caatac"))
print(hashlib.sha256(b"abc").hexdigest(), zlib.crc32(b"abc") if zlib else None)
print(collections.Counter("mississippi").most_common(2), list(itertools.permutations("abc", 2))[:3])
print(decimal.Decimal(2).sqrt(), functools.reduce(lambda a, b: a * b, range(1, 11)))
print(textwrap.fill("the quick brown fox jumps over the lazy dog", 20))


@functools.lru_cache(None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Shape:
    def __init__(self, *sides):
        self.sides = sides

    def __repr__(self):
        return f"{type(self).__name__}{self.sides}"


print(fib(30), Shape(1, 2), {**{"x": 1}, "y": [i * i for i in range(5) if i % 2]})
with open("/data/out.txt", "w") as f:
    f.write("written\n" * 3)
with open("/data/out.txt") as f:
    print(f.read().splitlines(), os.stat("/data/out.txt").st_size)
os.remove("/data/out.txt")
try:
    open("/etc/passwd")
except OSError as e:
    print("refused", e.errno)


def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)


print(deep(200))


def broken():
    return {}["key"]


broken()
