//! The XML that WeChat pushes: one `<xml>` element with named members, their texts plain or CDATA.
//!
//! A small part of XML on purpose. No attributes, comments, declarations or processing instructions,
//! and no entity but the five that need none declared, so nothing can be fetched and nothing can grow.

use std::collections::BTreeMap;

/// Elements within elements; WeChat nests lists two deep.
const DEEPEST: usize = 16;

/// The texts of the members of `<xml>`. What is nested deeper is checked for its form and left out.
///
/// `None` for everything that is not of this form, and for a member that stands twice.
pub(super) fn members(text: &str) -> Option<BTreeMap<String, String>> {
    let mut rest = text.trim().strip_prefix("<xml>")?;
    let mut members = BTreeMap::new();
    let mut open: Vec<&str> = Vec::new();
    let mut value = String::new();
    loop {
        let (piece, after) = piece(rest)?;
        rest = after;
        match piece {
            Piece::Start(name) if open.len() < DEEPEST => open.push(name),
            Piece::Start(_) => return None,
            Piece::End(name) => match open.pop() {
                None => return (name == "xml" && rest.is_empty()).then_some(members),
                Some(opened) if opened != name => return None,
                Some(_) if !open.is_empty() => {}
                Some(_) => {
                    let twice = members.insert(name.to_owned(), std::mem::take(&mut value));
                    if twice.is_some() {
                        return None;
                    }
                }
            },
            Piece::Text(text) if open.len() == 1 => value.push_str(&text),
            Piece::Text(text) if open.is_empty() && !text.trim().is_empty() => return None,
            Piece::Text(_) => {}
        }
    }
}

enum Piece<'a> {
    Start(&'a str),
    End(&'a str),
    Text(String),
}

/// The next tag or text, and what follows it.
fn piece(rest: &str) -> Option<(Piece<'_>, &str)> {
    if let Some(cdata) = rest.strip_prefix("<![CDATA[") {
        let (text, rest) = cdata.split_once("]]>")?;
        return Some((Piece::Text(text.to_owned()), rest));
    }
    let Some(tag) = rest.strip_prefix('<') else {
        let (text, rest) = rest.split_at(rest.find('<')?);
        return Some((Piece::Text(unescaped(text)?), rest));
    };
    let (tag, rest) = tag.split_once('>')?;
    let (name, piece): (_, fn(_) -> _) = match tag.strip_prefix('/') {
        Some(name) => (name, Piece::End),
        None => (tag, Piece::Start),
    };
    is_name(name).then(|| (piece(name), rest))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn unescaped(text: &str) -> Option<String> {
    let (first, entities) = text
        .split_once('&')
        .map_or((text, None), |(first, rest)| (first, Some(rest.split('&'))));
    let mut plain = first.to_owned();
    for piece in entities.into_iter().flatten() {
        let (entity, text) = piece.split_once(';')?;
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        });
        plain.push_str(text);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        members(text).map(|members| members.into_iter().collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn members_are_read() {
        assert_eq!(
            read(
                "\n<xml>\n <A><![CDATA[a <b>&amp; ]] c]]></A>\n\n<B>1 &lt;&amp;&gt;&quot;&apos; 2</B></xml>\n"
            ),
            Some(pairs(&[("A", "a <b>&amp; ]] c"), ("B", "1 <&>\"' 2")]))
        );
        assert_eq!(read("<xml></xml>"), Some(pairs(&[])));
        assert_eq!(read("<xml><A></A></xml>"), Some(pairs(&[("A", "")])));
        assert_eq!(
            read("<xml><A>a<![CDATA[]]>b<![CDATA[c]]></A></xml>"),
            Some(pairs(&[("A", "abc")]))
        );
    }

    #[test]
    fn lists_are_passed_over() {
        assert_eq!(
            read("<xml><A>\n<L><A><![CDATA[x]]></A></L><L><A>y</A></L></A><B>b</B></xml>"),
            Some(pairs(&[("A", "\n"), ("B", "b")]))
        );
    }

    #[test]
    fn other_xml_is_refused() {
        let deep = format!("<xml>{}", "<a>".repeat(60_000));
        for text in [
            "",
            "xml",
            "<xml>",
            "<xml",
            "<x></x>",
            "<xml></x>",
            "<xml></xml>x",
            "<xml>x</xml>",
            "<xml><![CDATA[x]]></xml>",
            "<xml></xml><xml></xml>",
            "<xml><A></B></xml>",
            "<xml><A></xml></A>",
            "<xml><A>a</A><A>b</A></xml>",
            "<xml><A b=\"c\"></A></xml>",
            "<xml>< A>a</ A></xml>",
            "<xml><A/></xml>",
            "<xml><></></xml>",
            "<xml><1>a</1></xml>",
            "<xml><A><![CDATA[a</A></xml>",
            "<xml><A>&x;</A></xml>",
            "<xml><A>&#65;</A></xml>",
            "<xml><A>&amp</A></xml>",
            "<xml><!-- a --></xml>",
            "<xml><?a?></xml>",
            "<?xml version=\"1.0\"?><xml></xml>",
            "<!DOCTYPE xml [<!ENTITY a \"b\">]><xml><A>&a;</A></xml>",
            &deep,
        ] {
            assert_eq!(read(text), None, "{text:.80}");
        }
    }
}
