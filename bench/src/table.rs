//! The report as a person reads it.

use std::fmt::Write;

use crate::report::{
    Accounts, Figures, Growth, Guarding, Paced, Report, Start, Sustained, mebibytes,
};

/// Cells; the first of a line is put to the left, the others to the right.
type Lines = Vec<Vec<String>>;

/// The whole report in text.
pub(crate) fn render(report: &Report) -> String {
    let mut text = head(report);
    if !report.rows.is_empty() || report.memory.is_some() {
        text += &aligned(&requests(report));
    }
    if let Some(guard) = &report.guard {
        text += &aligned(&guarding(guard));
    }
    if let Some(accounts) = &report.accounts {
        text += &aligned(&account_requests(accounts));
    }
    if let Some(growth) = &report.growth {
        text += &aligned(&grown(growth));
    }
    if let Some(sustained) = &report.sustained {
        text += &aligned(&paced(sustained));
        text += &aligned(&meanwhile(sustained));
    }
    if let Some(start) = &report.start {
        text += &aligned(&started(start));
    }
    if !report.targets.is_empty() {
        text += &aligned(&promises(report));
    }
    for problem in &report.problems {
        let _ = writeln!(text, "FAILED: {problem}");
    }
    text
}

fn head(report: &Report) -> String {
    let (machine, settings) = (&report.machine, &report.settings);
    let rounds = format!(
        "{} callers, {} rounds of {} s beside the bare framework, ",
        settings.callers, settings.rounds, settings.seconds
    );
    format!(
        "{} on SQLite ({}), {} x {}, Linux {}, load before {}\n\
         {}{} known people;\n\
         server on core {}, callers and the stub of WeChat on core {}\n\n",
        report.version,
        machine.file_system,
        machine.cores,
        machine.processor,
        machine.kernel,
        machine.load_before,
        if has_rounds(report) { &rounds } else { "" },
        grouped(settings.people),
        settings.server_core,
        settings.callers_core,
    )
}

/// Whether anything was measured in rounds.
fn has_rounds(report: &Report) -> bool {
    !report.rows.is_empty()
        || report.guard.is_some()
        || report.accounts.is_some()
        || report.growth.is_some()
}

fn requests(report: &Report) -> Lines {
    let mut lines = vec![titles("", "times bare")];
    for row in &report.rows {
        let mut line = figures(row.scenario.title(), &row.menjin);
        line.push(format!("{:.2}", row.times_bare));
        lines.push(line);
        lines.push(figures(
            &format!("  bare, {} bytes", row.answer_bytes),
            &row.bare,
        ));
    }
    if let Some(memory) = &report.memory {
        lines.push(figures("sign-in, for a long while", memory));
    }
    lines
}

fn figures(title: &str, figures: &Figures) -> Vec<String> {
    vec![
        title.to_owned(),
        rounded(figures.requests_per_second),
        format!("{:.2}", figures.p50_ms),
        format!("{:.2}", figures.p99_ms),
        format!("{:.0}", figures.core_share * 100.0),
        format!("{:.1}", figures.cpu_ms_per_thousand),
        format!("{:.1}", mebibytes(figures.memory.resident)),
        format!("{:.1}", mebibytes(figures.memory.peak)),
        grouped(figures.failed),
    ]
}

/// What the columns of [`figures`] hold, between a first and a last one.
fn titles(first: &str, last: &str) -> Vec<String> {
    [
        first,
        "requests/s",
        "p50 ms",
        "p99 ms",
        "core %",
        "CPU ms/1,000",
        "MiB",
        "peak",
        "failed",
        last,
    ]
    .map(str::to_owned)
    .to_vec()
}

fn account_requests(accounts: &Accounts) -> Lines {
    let [register, set_user] = accounts.times_new;
    let beside = |title, seen, times: f64| {
        let mut line = figures(title, seen);
        line.push(format!("{times:.2}"));
        line
    };
    vec![
        titles("", "times longer"),
        figures("sign-in, new people", &accounts.new),
        beside("registration by phone_code", &accounts.register, register),
        beside("setuser", &accounts.set_user, set_user),
    ]
}

fn guarding(guard: &Guarding) -> Lines {
    let mut titles = titles("a constant handler", "times open");
    titles.push("us added".to_owned());
    let mut guarded = figures("behind the guard's layer", &guard.guarded);
    guarded.push(format!("{:.2}", guard.times_open));
    guarded.push(format!("{:.2}", guard.added_us));
    vec![titles, guarded, figures("without it", &guard.open)]
}

fn paced(sustained: &Sustained) -> Lines {
    let title = format!("side by side for {} min", sustained.minutes);
    let titles = [
        "due/s", "p50 ms", "p99 ms", "max ms", "late p99", "answered", "failed",
    ];
    let titles = titles.map(str::to_owned);
    let line = |what: &str, seen: &Paced| {
        vec![
            what.to_owned(),
            grouped(seen.per_second),
            format!("{:.2}", seen.p50_ms),
            format!("{:.2}", seen.p99_ms),
            format!("{:.2}", seen.max_ms),
            format!("{:.2}", seen.late_p99_ms),
            grouped(u64::try_from(seen.answered).unwrap_or(u64::MAX)),
            grouped(seen.failed),
        ]
    };
    vec![
        [title].into_iter().chain(titles).collect(),
        line("introspection", &sustained.introspection),
        line("sign-in, every other one new", &sustained.sign_in),
    ]
}

fn meanwhile(sustained: &Sustained) -> Lines {
    let memory = |what: &str, kibibytes| {
        let seen = format!("{:.1} MiB", mebibytes(kibibytes));
        vec![format!("memory {what}"), seen]
    };
    let share = format!("{:.0} %", sustained.core_share * 100.0);
    vec![
        vec!["the server's core meanwhile".to_owned(), share],
        memory("at the start", sustained.resident_before),
        memory("at the end", sustained.memory.resident),
        memory("at its peak", sustained.memory.peak),
    ]
}

fn grown(growth: &Growth) -> Lines {
    let mut many = figures(&grouped(growth.many_people), &growth.many);
    many.push(format!("{:.2}", growth.cpu_ratio));
    let mut lines = vec![
        titles("returning people of", "times few"),
        figures(&grouped(growth.few_people), &growth.few),
        many,
        vec!["new people, up to".to_owned()],
    ];
    lines.extend(growth.filling.iter().map(|slice| {
        let blank = String::new;
        let cpu = format!("{:.1}", slice.cpu_ms_per_thousand);
        vec![
            grouped(slice.up_to),
            rounded(slice.per_second),
            blank(),
            blank(),
            blank(),
            cpu,
        ]
    }));
    lines
}

fn started(start: &Start) -> Lines {
    let (shortest, median) = start.shortest_and_median();
    let line = |title: String, seen: String| vec![title, seen];
    let title = |what| {
        format!(
            "start to ready with {} people, {what} of {}",
            grouped(start.people),
            start.ready_after_ms.len()
        )
    };
    vec![
        line(title("shortest"), format!("{shortest:.0} ms")),
        line(title("median"), format!("{median:.0} ms")),
        line(
            "idle memory".to_owned(),
            format!("{:.1} MiB", mebibytes(start.idle_resident)),
        ),
    ]
}

fn promises(report: &Report) -> Lines {
    let titles = ["target", "seen", "at most", "", ""];
    let mut lines = vec![titles.map(str::to_owned).to_vec()];
    lines.extend(report.targets.iter().map(|target| {
        let verdict = if target.met { "met" } else { "MISSED" };
        vec![
            target.what.clone(),
            format!("{:.2}", target.seen),
            target.most.to_string(),
            target.unit.to_owned(),
            verdict.to_owned(),
        ]
    }));
    lines
}

/// One line of text for each, with an empty line behind.
fn aligned(lines: &Lines) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<_> = (0..columns)
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        let cells =
            line.iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, width))| match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("  {cell:>width$}"),
                });
        text += cells.collect::<String>().trim_end();
        text.push('\n');
    }
    text.push('\n');
    text
}

fn rounded(number: f64) -> String {
    let digits = format!("{number:.0}");
    digits.parse().map_or(digits, grouped)
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(rounded(9812.6), "9,813");
    }

    #[test]
    fn columns_line_up() {
        let lines = [["", "a", "long"], ["first", "22", "1"]];
        let lines: Lines = lines
            .iter()
            .map(|line| line.map(str::to_owned).to_vec())
            .collect();
        assert_eq!(aligned(&lines), "        a  long\nfirst  22     1\n\n");
    }
}
