-- tests/real/script.sql: what SQLite is asked to do; the answers stand in script.sql.expected.
create table people (id integer primary key, name text, born integer);
insert into people (name, born) values ('Ada', 1815), ('Grace', 1906), ('Edsger', 1930), ('Barbara', 1939);
create index by_born on people (born);
select count(*), min(born), max(born), avg(born) from people;
select name, length(name), upper(substr(name, 1, 1)) from people where born > 1900 order by name desc;
with recursive fib(a, b) as (select 0, 1 union all select b, a + b from fib where b < 1000) select group_concat(a) from fib;
select typeof(1), typeof(1.5), typeof('x'), typeof(null), 7 / 2, 7 / 2.0, 'a' || 'b', 1e15, round(2.5);
select a.name, b.name from people a join people b on a.born < b.born where b.born - a.born < 35 order by 1, 2;
begin; delete from people where born < 1900; select changes(); rollback; select count(*) from people;
select printf('%05d|%8.3f|%s', 42, 3.14159, 'text'), hex(zeroblob(3)), abs(-9223372036854775807);
