use std::collections::{BTreeMap, BTreeSet};

use contracts::{Lane, Millis, ProjectId, Stretch, TimeRange};
use maud::{Markup, html};

/// The number of colours that the stylesheet has for projects.
const COLOURS: usize = 12;

/// The colour of each project in a drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Colours(BTreeMap<ProjectId, usize>);

impl Colours {
    /// Chooses a colour for each project. The id decides the colour, and the next unused colour is
    /// taken if another project has it already. Projects share colours when there are more projects
    /// than colours.
    pub(crate) fn of(projects: &BTreeSet<ProjectId>) -> Self {
        let mut colours = BTreeMap::new();
        let mut taken = [0; COLOURS];
        for project in projects {
            let sum: usize = project.0.as_bytes().iter().map(|byte| usize::from(*byte)).sum();
            let near = (0..COLOURS).map(|step| (sum + step) % COLOURS);
            let colour = near.min_by_key(|colour| taken[*colour]).unwrap_or_default();
            taken[colour] += 1;
            colours.insert(*project, colour);
        }
        Self(colours)
    }

    /// The CSS class of a project's colour.
    pub(crate) fn class(&self, project: ProjectId) -> String {
        format!("k{}", self.0.get(&project).copied().unwrap_or_default())
    }
}

/// The x-coordinate of a moment: the number of seconds since the start of the range.
fn at(moment: Millis, range: TimeRange) -> i64 {
    (moment - range.start()) / 1_000
}

/// Draws a lane: a bar for each stretch of counted time, and a mark for each range in which a
/// window does not count because an earlier window counts there. `link` returns the URL of a
/// stretch, and `says` the text of its tooltip.
pub(crate) fn lanes(
    lane: &Lane,
    range: TimeRange,
    colours: &Colours,
    link: impl Fn(&Stretch) -> String,
    says: impl Fn(&Stretch) -> String,
) -> Markup {
    let whole = range.length() / 1_000;
    let quarter = whole / 4;
    html! {
        svg viewBox={ "0 0 " (whole) " 10" } preserveAspectRatio="none" aria-hidden="true" {
            @for part in 1..4 { path.grid d={ "M" (quarter * part) " 0v10" } {} }
            @for stretch in &lane.stretches {
                @let (from, to) = (at(stretch.start, range), at(stretch.end, range));
                // `tabindex` takes the links out of the keyboard order. Keyboard users find the
                // same links in the table, and need not step through every bar.
                a href=(link(stretch)) tabindex="-1" {
                    rect class=(colours.class(stretch.project_id)) x=(from) y="1" width=(to - from) height="8" {
                        title { (says(stretch)) }
                    }
                }
            }
            @for (start, end) in &lane.lost {
                @let (from, to) = (at(*start, range), at(*end, range));
                rect.lost x=(from) y="7" width=(to - from) height="3" { title { "More than one at once" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{HOUR, TaskId};
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 24 * HOUR;

    /// Creates a lane from (task, pause before the stretch, length of the stretch), both times in
    /// milliseconds.
    fn lane(lengths: &[(u8, i64, i64)]) -> Lane {
        let (mut lane, mut at) = (Lane::empty(contracts::NOBODY), Millis(0));
        for (task, gap, length) in lengths {
            let (start, end) = (at + *gap, at + *gap + *length);
            let (project_id, task_id) =
                (ProjectId(uuid::Uuid::nil()), TaskId(uuid::Uuid::from_u128(u128::from(*task))));
            lane.stretches.push(Stretch { project_id, task_id, start, end, time: *length });
            at = end;
        }
        lane
    }

    #[test]
    fn as_many_projects_as_there_are_colours_have_one_each() {
        let ids = |count: u128| (0..count).map(|n| ProjectId(uuid::Uuid::from_u128(n * 12))).collect::<BTreeSet<_>>();
        let distinct = |count| Colours::of(&ids(count)).0.into_values().collect::<BTreeSet<_>>().len();
        assert_eq!([distinct(2), distinct(12), distinct(30)], [2, 12, 12]);
        // A single project has the colour that its id decides.
        let one = ProjectId(uuid::Uuid::from_u128(7));
        assert_eq!(Colours::of(&BTreeSet::from([one])).class(one), "k7");
    }

    /// Reads the widths of the drawn bars from the SVG text.
    fn widths(drawn: &str) -> Vec<i64> {
        let counted = drawn.split("<rect class=\"k").skip(1);
        let width = |rect: &str| rect.split("width=\"").nth(1)?.split('"').next()?.parse().ok();
        counted.filter_map(width).collect()
    }

    proptest! {
        #[test]
        fn the_rectangles_add_up_to_the_time_that_counts(
            lengths in proptest::collection::vec((0..3_u8, 0..2 * 60_000_i64, 1_000..HOUR), 1..20),
        ) {
            let (lane, range) = (lane(&lengths), TimeRange::new(Millis(0), Millis(DAY)).expect("a day"));
            let drawn = lanes(&lane, range, &Colours::default(), |_| String::new(), |_| String::new()).into_string();
            let widths = widths(&drawn);
            prop_assert_eq!(widths.len(), lane.stretches.len());
            // Each bar is rounded to seconds at both ends, so its width may be wrong by up to one
            // second.
            let most = i64::try_from(widths.len()).expect("few") * 1_000;
            prop_assert!((widths.iter().sum::<i64>() * 1_000 - lane.time()).abs() <= most);
        }
    }
}
