//! From a file to rows of cells, whatever they mean.

use menjin_core::profile::Fields;
use serde_json::{Map, Value};

use super::{Column, Format, problems::Problems};

/// The cells of one row that hold anything, and the line on which it begins.
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) cells: Vec<(Column, Value)>,
}

/// Reads every row, or says what is wrong with the file as a whole.
pub(crate) fn rows(
    bytes: &[u8],
    format: Format,
    fields: &Fields,
    problems: &mut Problems,
) -> Vec<Row> {
    let Some(text) = text(bytes, problems) else {
        return Vec::new();
    };
    match format {
        Format::Csv => csv_rows(text, fields, problems),
        Format::Jsonl => json_rows(text, fields, problems),
    }
}

/// The text, without the mark that some programs put before it.
fn text<'b>(bytes: &'b [u8], problems: &mut Problems) -> Option<&'b str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            problems.add(
                u64::try_from(line).unwrap_or(u64::MAX),
                "is not UTF-8. Excel writes it as \"CSV UTF-8\"; what is in GBK can be converted: \
                 iconv -f GBK -t UTF-8 old.csv > new.csv",
            );
            None
        }
    }
}

fn csv_rows(text: &str, fields: &Fields, problems: &mut Problems) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new();
    // What is uneven is said with its line, and the rest is still looked at.
    let mut reader = reader.flexible(true).from_reader(text.as_bytes());
    let columns = match reader.headers() {
        Ok(header) => header_columns(header, fields, problems),
        Err(error) => {
            problems.add(1, error.to_string());
            return Vec::new();
        }
    };
    if !problems.is_empty() {
        // Every row would be wrong for the same reason.
        return Vec::new();
    }
    let mut rows = Vec::new();
    let mut lines = Lines::new(text);
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                problems.add(lines.number, error.to_string());
                return rows;
            }
        };
        let start = record.position().map_or(0, csv::Position::byte);
        let line = lines.at(usize::try_from(start).unwrap_or(usize::MAX));
        if record.len() != columns.len() {
            let (cells, wanted) = (record.len(), columns.len());
            problems.add(
                line,
                format!("has {cells} cells, and the first line {wanted}"),
            );
            continue;
        }
        let cells = columns.iter().zip(record.iter());
        let filled = cells.filter(|(_, cell)| !cell.is_empty());
        let cells = filled.filter_map(|(column, cell)| Some(((*column)?, cell.into())));
        rows.push(Row {
            line,
            cells: cells.collect(),
        });
    }
    rows
}

/// The number of the line on which a row begins. The reader's own stops short of the line ends before.
struct Lines<'t> {
    rest: &'t [u8],
    /// Where the rest begins.
    offset: usize,
    number: u64,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            rest: text.as_bytes(),
            offset: 0,
            number: 1,
        }
    }

    /// Of the row that begins at a byte, or behind the line ends there. Only forward.
    fn at(&mut self, start: usize) -> u64 {
        while let Some((byte, rest)) = self.rest.split_first() {
            if self.offset >= start && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.number += u64::from(*byte == b'\n');
            self.offset += 1;
            self.rest = rest;
        }
        self.number
    }
}

/// Which column each cell of a row belongs to; `None` has been said to be a problem.
fn header_columns(
    header: &csv::StringRecord,
    fields: &Fields,
    problems: &mut Problems,
) -> Vec<Option<Column>> {
    let mut columns: Vec<Option<Column>> = Vec::new();
    if header.len() == 1 && header.iter().any(|name| name.contains([';', '\t'])) {
        problems.add(1, "columns have to be separated by commas");
        return columns;
    }
    for (number, name) in (1..).zip(header) {
        let column = Column::find(name, fields);
        match column {
            // Without a header, the first line is somebody.
            None => problems.add(1, unknown(&format!("column {number}"), fields)),
            Some(column) if columns.contains(&Some(column)) => {
                problems.of(1, column.name(), "stands twice: keep one column");
            }
            Some(_) => {}
        }
        columns.push(column);
    }
    if !columns.contains(&Some(Column::Phone)) {
        problems.of(1, "phone", "is missing, and nobody can be imported without");
    }
    columns
}

fn json_rows(text: &str, fields: &Fields, problems: &mut Problems) -> Vec<Row> {
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(object) => rows.push(Row {
                line,
                cells: members(object, line, fields, problems),
            }),
            // The parser's own words may quote what stands there.
            Err(error) => {
                let column = error.column();
                problems.add(
                    line,
                    format!("is no JSON object: look at character {column}"),
                );
            }
        }
    }
    rows
}

fn members(
    object: Map<String, Value>,
    line: u64,
    fields: &Fields,
    problems: &mut Problems,
) -> Vec<(Column, Value)> {
    let mut cells: Vec<(Column, Value)> = Vec::new();
    for (name, value) in object {
        let Some(column) = Column::find(&name, fields) else {
            problems.add(line, unknown(member(&name), fields));
            continue;
        };
        if cells.iter().any(|(other, _)| *other == column) {
            problems.of(line, column.name(), "stands twice: keep one");
        } else if !value.is_null() && value != "" {
            cells.push((column, value));
        }
    }
    cells
}

/// A name that is longer is no slip of the pen.
const LONGEST: usize = 32;

fn member(name: &str) -> &str {
    let legal = |c: char| c.is_ascii_lowercase() || c == '_';
    match name.len() {
        1..=LONGEST if name.chars().all(legal) => name,
        _ => "a member",
    }
}

fn unknown(what: &str, fields: &Fields) -> String {
    let all: Vec<&str> = Column::all(fields).map(Column::name).collect();
    format!("{what} is not one of: {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], format: Format) -> Result<Vec<Row>, String> {
        let mut problems = Problems::new("f".to_owned());
        let rows = rows(bytes, format, &Fields::default(), &mut problems);
        if problems.is_empty() {
            return Ok(rows);
        }
        Err(problems.to_string())
    }

    fn wrong(bytes: &[u8], format: Format) -> String {
        read(bytes, format).err().unwrap()
    }

    #[test]
    fn empty_cells_say_nothing_and_lines_are_those_of_the_file() {
        let text = "\u{feff}phone,nickname\r\n1,\"a\nb\"\r\n\r\n2,\r\n";
        let rows = read(text.as_bytes(), Format::Csv).unwrap();
        let lines: Vec<_> = rows.iter().map(|row| (row.line, row.cells.len())).collect();
        assert_eq!(lines, [(2, 2), (5, 1)]);
        let text = "{\"phone\": \"1\"}\n\n{\"phone\": 2, \"nickname\": null, \"mail\": \"\"}";
        let rows = read(text.as_bytes(), Format::Jsonl).unwrap();
        let lines: Vec<_> = rows.iter().map(|row| (row.line, row.cells.len())).collect();
        assert_eq!(lines, [(1, 1), (3, 1)]);
    }

    #[test]
    fn what_is_no_text_is_told_with_the_way_out() {
        let gbk = b"phone,nickname\n13800138000,\xcd\xf5\n";
        for format in [Format::Csv, Format::Jsonl] {
            let told = wrong(gbk, format);
            assert!(told.contains("f:2: is not UTF-8"), "{told}");
            assert!(told.contains("iconv -f GBK"), "{told}");
        }
        assert!(wrong(b"\xff\xfep\0", Format::Csv).contains("f:1: is not UTF-8"));
    }

    #[test]
    fn a_header_is_checked() {
        for (text, told) in [
            ("", "f:1: phone: is missing"),
            ("nickname\n", "f:1: phone: is missing"),
            ("phone,naem\n", "f:1: column 2 is not one of: phone, "),
            ("phone,13800138000\n", "f:1: column 2 is not one of"),
            ("phone,mail,email\n", "f:1: mail: stands twice"),
            (
                "phone;nickname\n",
                "f:1: columns have to be separated by commas",
            ),
            ("phone\n1,2\n", "f:2: has 2 cells, and the first line 1"),
        ] {
            let said = wrong(text.as_bytes(), Format::Csv);
            assert!(said.contains(told), "{text:?}: {said}");
            assert!(!said.contains("13800138000"), "{said}");
        }
    }

    #[test]
    fn a_line_of_json_is_checked() {
        for (text, told) in [
            ("[]", "f:1: is no JSON object"),
            ("{\"phone\": \"13800138000\"", "f:1: is no JSON object"),
            ("\n{\"uid\": 1}", "f:2: uid is not one of"),
            (
                "{\"mail\": \"a\", \"email\": \"b\"}",
                "f:1: mail: stands twice",
            ),
        ] {
            let said = wrong(text.as_bytes(), Format::Jsonl);
            assert!(said.contains(told), "{text:?}: {said}");
            assert!(!said.contains("13800138000"), "{said}");
        }
    }
}
