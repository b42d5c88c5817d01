use std::collections::{BTreeMap, BTreeSet};

use contracts::{Filter, Grouping, Millis, TimeRange, TimeRow};
use proptest::prelude::*;

use super::{
    brute::{Row, brute},
    history::*,
    stored::Stored,
};
use crate::domain::*;

fn tally<'a>(stored: &Stored, question: &'a Question, buckets: &[Bucket], overlaps: Overlaps) -> Tally<'a> {
    let mut tally = Tally::new(question);
    let sheets = stored.sheets(question, overlaps);
    for step in question.steps(buckets) {
        for sheet in sheets.iter().filter(|sheet| step.months().contains(&sheet.month)) {
            tally.add(&step, sheet);
        }
    }
    tally
}

fn answer(stored: &Stored, question: &Question, overlaps: Overlaps) -> BTreeMap<Row, Total> {
    let buckets = question.buckets();
    let totals = tally(stored, question, &buckets, overlaps).totals();
    totals
        .map(|(key, total)| {
            let bucket = &buckets[key.bucket];
            ((bucket.day, bucket.week, bucket.month, key.project, key.task, key.employee), total)
        })
        .collect()
}

fn sum<'a>(totals: impl IntoIterator<Item = &'a Total>) -> Total {
    totals.into_iter().fold(Total::default(), |mut sum, total| {
        sum += *total;
        sum
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn however_windows_arrive_the_answer_is_that_of_brute_force(
        arrivals in arrivals(), question in question(), overlaps in overlaps(),
    ) {
        let question = placed(question, &arrivals);
        let stored = Stored::after(&arrivals, overlaps);
        prop_assert_eq!(answer(&stored, &question, overlaps), brute(&arrivals, &question, overlaps));
    }

    #[test]
    fn adjoining_ranges_add_up_to_the_whole_wherever_they_are_cut(
        arrivals in arrivals(), question in question(), cut in moment(), share in 0.0..1.0, overlaps in overlaps(),
    ) {
        let stored = Stored::after(&arrivals, overlaps);
        let (from, to) = (question.range.start(), question.range.end());
        prop_assume!(to - from > 1);
        let inside = from.0 + 1 + ((to - from - 1) as f64 * share) as i64;
        let cut = if from.0 < cut && cut < to.0 { cut } else { inside };
        let in_range = |a, b| {
            let range = TimeRange::new(a, b).expect("a range");
            answer(&stored, &placed(Question { range, ..question.clone() }, &arrivals), overlaps)
        };
        let mut both = in_range(from, Millis(cut));
        for (row, total) in in_range(Millis(cut), to) {
            *both.entry(row).or_default() += total;
        }
        prop_assert_eq!(both, in_range(from, to));
    }

    #[test]
    fn groups_add_up_to_the_total(arrivals in arrivals(), question in question(), overlaps in overlaps()) {
        let question = placed(question, &arrivals);
        let stored = Stored::after(&arrivals, overlaps);
        let groups = answer(&stored, &question, overlaps);
        let total = answer(&stored, &Question { by: [].into(), ..question }, overlaps);
        prop_assert_eq!(sum(groups.values()), sum(total.values()));
    }

    #[test]
    fn page_after_page_is_the_whole_answer(
        arrivals in arrivals(), question in question(), most in 1..5usize, overlaps in overlaps(),
    ) {
        let mut question = placed(question, &arrivals);
        let stored = Stored::after(&arrivals, overlaps);
        let page = |question: &Question, most| {
            let buckets = question.buckets();
            tally(&stored, question, &buckets, overlaps).page(&buckets, most)
        };
        let whole = page(&question, usize::MAX).items;
        let mut pages: Vec<TimeRow> = Vec::new();
        loop {
            let one = page(&question, most);
            prop_assert!(one.items.len() <= most);
            pages.extend(one.items);
            match one.next {
                Some(next) => question.after = Some(next),
                None => break,
            }
        }
        prop_assert_eq!(pages, whole);
    }

    #[test]
    fn what_is_planned_is_the_range_without_gap_or_overlap(question in question(), beginning in beginning()) {
        let (start, end) = (beginning + question.range.start().0, beginning + question.range.end().0);
        let question = Question { range: range(start, end), ..question };
        let buckets = question.buckets();
        let mut read: Vec<BTreeSet<(Millis, Millis)>> = vec![BTreeSet::new(); buckets.len()];
        for (bucket, piece) in question.steps(&buckets).into_iter().flat_map(|step| step.pieces) {
            let read = &mut read[bucket];
            let mut one = |range: TimeRange| read.insert((range.start(), range.end()));
            match piece {
                Piece::Month(month) => month.days().for_each(|day| assert!(one(TimeRange::of_utc_day(day)))),
                Piece::Day(day) => prop_assert!(one(TimeRange::of_utc_day(day))),
                Piece::Edge { range, .. } => prop_assert!(one(range)),
                Piece::Less(day) => {
                    let day = TimeRange::of_utc_day(day);
                    prop_assert!(read.remove(&(day.start(), day.end())));
                }
            }
        }
        let mut at = Millis(start);
        for (bucket, read) in buckets.iter().zip(read) {
            prop_assert_eq!(bucket.range.start(), at);
            for (start, end) in read {
                prop_assert_eq!(start, at);
                at = end;
            }
            prop_assert_eq!(bucket.range.end(), at);
        }
        prop_assert_eq!(at, Millis(end));
    }
}

#[test]
fn a_year_is_read_at_once() {
    let range = TimeRange::new(Millis(1_736_000_000_001), Millis(1_736_000_000_001 + 365 * contracts::DAY));
    let question = Question {
        range: range.expect("a range"),
        by: [Grouping::Project].into(),
        zone: "UTC".parse().expect("a zone"),
        filter: Filter::default(),
        after: None,
    };
    let steps = question.steps(&question.buckets());
    assert_eq!(steps.iter().map(|step| step.months().len()).collect::<Vec<_>>(), [13]);
}
