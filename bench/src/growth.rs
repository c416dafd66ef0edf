//! Whether sign-in stays as quick when there are many people: two servers side by side, one with
//! few and one with many, asked in turn.

use std::sync::Arc;

use crate::{
    progress::say,
    report::{Figures, Growth, cpu_ratio},
    run::Bench,
    subject::Subject,
    work::{Who, Work},
};

/// New people whose sign-ins are summed up, at each end of the filling.
const SLICE: u64 = 100_000;

/// Fills two databases and measures returning people on both.
pub(crate) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<Growth> {
    let (few_people, many_people) = (bench.arguments.people, bench.arguments.growth_people);
    let few = Subject::start(bench, "few", few_people).await?;
    few.let_in(bench, few_people).await?;
    let many = Subject::start(bench, "many", many_people).await?;
    let mut filling = Vec::new();
    for up_to in slices(few_people, many_people) {
        filling.push(many.let_in(bench, up_to).await?);
    }
    let (mut few_rounds, mut many_rounds) = (Vec::new(), Vec::new());
    for round in 1..=bench.arguments.rounds {
        say(&format!(
            "round {round}: returning people of {few_people} and of {many_people}"
        ));
        few_rounds.push(few.measure(bench, &returning(&few)).await?);
        many_rounds.push(many.measure(bench, &returning(&many)).await?);
    }
    few.stop(bench).await?;
    many.stop(bench).await?;
    Ok(Growth {
        few_people,
        many_people,
        few: Figures::of(&few_rounds),
        many: Figures::of(&many_rounds),
        cpu_ratio: cpu_ratio(&many_rounds, &few_rounds),
        filling,
    })
}

fn returning(subject: &Subject) -> Arc<Work> {
    Arc::new(Work::SignIn {
        people: Arc::clone(&subject.people),
        who: Who::Returning,
    })
}

/// Where to pause while filling: after the start, and around the first and the last slice.
fn slices(few: u64, many: u64) -> Vec<u64> {
    let ends = [
        few,
        few.saturating_add(SLICE),
        many.saturating_sub(SLICE),
        many,
    ];
    let mut ends: Vec<_> = ends
        .into_iter()
        .filter(|end| (few..=many).contains(end))
        .collect();
    ends.push(many);
    ends.sort_unstable();
    ends.dedup();
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filling_pauses_around_its_first_and_last_slice() {
        assert_eq!(
            slices(10_000, 1_000_000),
            [10_000, 110_000, 900_000, 1_000_000]
        );
        assert_eq!(slices(10_000, 50_000), [10_000, 50_000]);
        assert_eq!(slices(10_000, 5_000), [5_000]);
    }
}
