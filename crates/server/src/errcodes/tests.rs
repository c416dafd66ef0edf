use std::collections::HashSet;

use super::{Language, error_reference, reference::SECTIONS, sign_in::SIGN_IN, summary, wechat};

const BOTH: [Language; 2] = [Language::English, Language::Chinese];

/// No text of either language is empty, each of them ends, and each row is in both references.
#[test]
fn every_entry_says_what_and_what_to_do_in_both_languages() {
    for language in BOTH {
        let end = match language {
            Language::English => '.',
            Language::Chinese => '。',
        };
        let page = error_reference(language);
        for entry in SECTIONS.iter().flat_map(|section| section.rows) {
            assert!(
                page.contains(&format!("| `{}` |", entry.word)),
                "{}",
                entry.word
            );
            for text in entry.texts(language) {
                assert!(text.ends_with(end), "{}: {text}", entry.word);
            }
        }
        for code in wechat::all() {
            assert!(
                page.contains(&format!("\n| {} |", code.number)),
                "{}",
                code.number
            );
            let texts = match language {
                Language::English => code.english,
                Language::Chinese => code.chinese,
            };
            for text in texts {
                assert!(text.ends_with(end), "{}: {text}", code.number);
            }
        }
    }
}

/// No word stands twice in one table, and WeChat's numbers are in order.
#[test]
fn nothing_is_listed_twice() {
    for section in SECTIONS {
        let words: HashSet<_> = section.rows.iter().map(|entry| entry.word).collect();
        assert_eq!(words.len(), section.rows.len());
    }
    let numbers: Vec<_> = wechat::all().map(|code| code.number).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

/// What WeChat answers to a sign-in is not explained in one table and left out of the other.
#[test]
fn the_numbers_of_a_sign_in_are_wechats_too() {
    let ours = ["7700001", "7700002", "7700003", "45002", "43002", "47001"];
    for entry in SIGN_IN.iter().filter(|entry| !ours.contains(&entry.word)) {
        let known = wechat::all().find(|code| entry.word == code.number.to_string());
        let code = known.unwrap_or_else(|| panic!("{}", entry.word));
        assert!(code.calls.contains(&wechat::Call::SignIn), "{}", entry.word);
    }
}

/// The description of the API is a part of the reference and no page of its own.
#[test]
fn the_summary_has_every_table_of_ours() {
    let summary = summary();
    assert!(summary.starts_with("## Sign-in"), "{summary}");
    for section in SECTIONS {
        for entry in section.rows {
            assert!(summary.contains(&format!("| `{}` |", entry.word)));
        }
    }
}
