// tests/snapshot/rust/filter.rs: a filter as Rust writes them: rules that are regular expressions, and tables. The
// initialiser compiles all rules and fills the tables; check() then answers for one line.
use regex::RegexSet;
use std::collections::{BTreeMap, HashMap};

struct Filter {
    rules: RegexSet,
    words: HashMap<String, u32>,
    ranges: BTreeMap<u32, &'static str>,
}

static mut FILTER: Option<Filter> = None;

// Rules as people write them: paths, addresses, tokens, query strings, in Unicode.
fn rules() -> Vec<String> {
    const SHAPES: [&str; 6] = [
        r"(?i)^/api/v\d+/{}/[\w-]+(?:/\d{1,9})?$",
        r"\b{}(?:=|%3d)(?:'|%27)?\s*(?:or|and)\b",
        r"(?i)<\s*{}[^>]*\bon\w+\s*=",
        r"^(?:\d{1,3}\.){3}\d{1,3} - {} \[[^\]]+\]",
        r"(?i)\b{}[\p{Greek}\p{Cyrillic}]+\d*\b",
        r"(?:[a-z]+{}\.)+(?:com|net|org)\b",
    ];
    let names = ["user", "order", "script", "image", "admin", "token", "select", "frame", "index", "query", "login", "file"];
    SHAPES.iter().flat_map(|shape| names.iter().map(move |name| shape.replace("{}", name))).collect()
}

fn make() -> Filter {
    let words = (0u32..20000).map(|i| (format!("word{}", i.wrapping_mul(2654435761) % 1000003), i)).collect();
    let ranges = (0u32..5000).map(|i| (i * 977, if i % 3 == 0 { "deny" } else { "allow" })).collect();
    Filter { rules: RegexSet::new(rules()).unwrap(), words, ranges }
}

#[export_name = "wizer-initialize"]
pub extern "C" fn initialise() {
    unsafe { FILTER = Some(make()) }
}

// Of line number n of a few made up: which rules match, what the tables say, as one number.
#[no_mangle]
pub extern "C" fn check(n: u32) -> u32 {
    let filter = unsafe { FILTER.get_or_insert_with(make) };
    let line = match n % 5 {
        0 => format!("/API/v{}/order/abc-{}/77", n, n),
        1 => format!("a=1&token=' or word{}", n),
        2 => format!("<image src=x onload={}>", n),
        3 => format!("10.0.0.{} - login [today]", n % 250),
        _ => format!("index\u{3b1}\u{3b2}{}", n),
    };
    let matches: u32 = filter.rules.matches(&line).iter().map(|i| i as u32 + 1).sum();
    let word = filter.words.get(&format!("word{}", n.wrapping_mul(2654435761) % 1000003)).copied().unwrap_or(0);
    let range = filter.ranges.range(..=n * 31).next_back().map_or(0, |(at, what)| at + what.len() as u32);
    matches * 1000003 + word * 31 + range
}
