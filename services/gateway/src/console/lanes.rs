//! The timeline of a day, with a lane for each person.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    EmployeeId, Failure, HOUR, Lane, ListLanes, Millis, Name, Page, ProjectId, Stretch, TaskId, TimeRange, Window,
};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{
    charts::{Colours, Figure, figure, lanes},
    places,
    visitor::Visitor,
};
use crate::names::{Ids, KnownNames};

/// The number of parts of the drawing. The parts are equally long, and each begins and ends at a
/// full hour.
const PARTS: i64 = 4;

/// The approximate number of stretches after which no more are read and drawn.
const STRETCHES: usize = 10_000;

/// A person and their lane for the day.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) lane: Lane,
}

/// Requests what these employees worked on in a range. The second value is true if there is more
/// than can be drawn.
pub(super) async fn worked(
    visitor: &Visitor,
    range: TimeRange,
    employees: Vec<EmployeeId>,
) -> Result<(Vec<Lane>, bool), Failure> {
    let (mut lanes, mut count, mut after) = (Vec::new(), 0, None);
    if employees.is_empty() {
        return Ok((lanes, false));
    }
    loop {
        let Page { items, next } = visitor.ask(ListLanes { range, employees: employees.clone(), after }).await?;
        count += items.iter().map(|lane| lane.stretches.len()).sum::<usize>();
        lanes.extend(items);
        if next.is_none() || count > STRETCHES {
            return Ok((lanes, next.is_some()));
        }
        after = next;
    }
}

/// Joins names and lanes, in the order of the names. A person without work gets an empty lane.
pub(super) fn people(named: Vec<(EmployeeId, String)>, worked: Vec<Lane>) -> Vec<Person> {
    let mut lanes: BTreeMap<EmployeeId, Lane> = worked.into_iter().map(|lane| (lane.employee_id, lane)).collect();
    let person = |(id, name)| Person { name, lane: lanes.remove(&id).unwrap_or(Lane::empty(id)) };
    named.into_iter().map(person).collect()
}

/// Collects the ids of the projects and tasks in the lanes, to request their names.
pub(super) fn ids_in(people: &[Person]) -> Ids {
    let stretches = || people.iter().flat_map(|person| &person.lane.stretches);
    Ids {
        projects: stretches().map(|stretch| stretch.project_id).collect(),
        tasks: stretches().map(|stretch| stretch.task_id).collect(),
        ..Ids::default()
    }
}

/// Collects the ids of the projects and tasks in the windows, to request their names.
pub(super) fn ids_of(windows: &[Window]) -> Ids {
    Ids {
        projects: windows.iter().map(|window| window.project_id).collect(),
        tasks: windows.iter().map(|window| window.task_id).collect(),
        ..Ids::default()
    }
}

/// The name of a project, or a replacement text if the name is not known. Deleted projects keep
/// their names.
pub(super) fn project(names: &KnownNames, id: ProjectId) -> &str {
    names.work.projects.get(&id).map_or("a project without a name", Name::as_str)
}

/// The name of a task, or a replacement text if the name is not known. Deleted tasks keep their
/// names.
pub(super) fn task(names: &KnownNames, id: TaskId) -> &str {
    names.work.tasks.get(&id).map_or("a task without a name", Name::as_str)
}

/// Renders the timeline as a figure, with a table of the same stretches.
pub(super) fn drawn(visitor: &Visitor, day: Date, range: TimeRange, people: &[Person], names: &KnownNames) -> Markup {
    let reader = &visitor.reader;
    let seen = cropped(range, people);
    let time: i64 = people.iter().map(|person| person.lane.time()).sum();
    let lost = people.iter().any(|person| !person.lane.lost.is_empty());
    let sentence = match people.iter().filter(|person| person.lane.time() > 0).count() {
        1 => format!("{} hours were worked.", reader.hours(time)),
        count => format!("{} people worked {} hours.", reader.count(count), reader.hours(time)),
    };
    let from_to = |stretch: &Stretch| format!("{}–{}", reader.time(stretch.start), reader.time(stretch.end));
    let works = |stretch: &Stretch| format!("{}, {}", project(names, stretch.project_id), task(names, stretch.task_id));
    let link = |person: &Person, stretch: &Stretch| {
        let minutes = |at: Millis, up: i64| (at - range.start() + up).div_euclid(60_000);
        let (from, to) = (minutes(stretch.start, 0), minutes(stretch.end, 59_999));
        format!(
            "{}?day={day}&employee={}&from={from}&to={to}",
            visitor.address(places::WINDOWS.path),
            person.lane.employee_id
        )
    };
    let edges: Vec<String> = (0..=PARTS).map(|part| reader.time(seen.start() + seen.length() / PARTS * part)).collect();
    let shown: BTreeSet<ProjectId> =
        people.iter().flat_map(|person| &person.lane.stretches).map(|stretch| stretch.project_id).collect();
    let colours = Colours::of(&shown);
    let drawing = html! {
        ul.lanes {
            li.scale { span {} div.hours aria-hidden="true" { @for edge in &edges { span { (edge) } } } span {} }
            @for person in people {
                li {
                    span { (visitor.person(person.lane.employee_id, &person.name)) }
                    (lanes(&person.lane, seen, &colours, |s| link(person, s), |s| format!("{}: {}", from_to(s), works(s))))
                    span.number { (reader.hours(person.lane.time())) }
                }
            }
        }
        ul.key {
            @for id in shown {
                li { svg viewBox="0 0 1 1" aria-hidden="true" { rect class=(colours.class(id)) width="1" height="1" {} } (project(names, id)) }
            }
            @if lost {
                li { svg viewBox="0 0 1 1" aria-hidden="true" { rect.lost width="1" height="1" {} } "more than one at once: it counts once" }
            }
        }
    };
    let table = html! {
        table {
            thead { tr { th scope="col" { "Who" } th scope="col" { "Project" } th scope="col" { "Task" } th scope="col" { "From – to" } th.number scope="col" { "Hours" } } }
            tbody {
                @for person in people {
                    @for stretch in &person.lane.stretches {
                        tr {
                            td.text { (person.name) }
                            td.text { (project(names, stretch.project_id)) }
                            td.text { (task(names, stretch.task_id)) }
                            td { a href=(link(person, stretch)) { (from_to(stretch)) } }
                            td.number { (reader.hours(stretch.time)) }
                        }
                    }
                }
            }
            tfoot { tr { th scope="row" colspan="4" { "All" } td.number { (reader.hours(time)) } } }
        }
    };
    figure(Figure { title: &reader.date(day), sentence: &sentence, drawing, table })
}

/// The part of the day that contains all work, in full hours. Its number of hours is a multiple of
/// [`PARTS`]. Without work it is the whole day.
fn cropped(range: TimeRange, people: &[Person]) -> TimeRange {
    let edges = people.iter().flat_map(|person| {
        let counted = person.lane.stretches.iter().map(|stretch| (stretch.start, stretch.end));
        counted.chain(person.lane.lost.iter().copied())
    });
    let (first, last) =
        edges.fold((range.end(), range.start()), |(first, last), (start, end)| (first.min(start), last.max(end)));
    if first >= last {
        return range;
    }
    let hours = |at: Millis, up: i64| (at - range.start() + up).div_euclid(HOUR);
    let (from, to) = (hours(first, 0), hours(last, HOUR - 1));
    let length = (to - from).div_euclid(PARTS) * PARTS + if (to - from) % PARTS == 0 { 0 } else { PARTS };
    let start = range.start() + from * HOUR;
    TimeRange::new(start, start + length.max(PARTS) * HOUR).unwrap_or(range)
}

/// Renders links to the previous day, to the next day if it is not after today, and to today, and a
/// form to choose a day.
pub(super) fn steps(visitor: &Visitor, path: &str, day: Date, today: Date) -> Markup {
    let to = |day: Date| format!("{}?day={day}", visitor.address(path));
    html! {
        form.row method="get" action=(visitor.address(path)) {
            @if let Ok(before) = day.yesterday() { a.button.quiet href=(to(before)) { "The day before" } }
            @if let Some(after) = day.tomorrow().ok().filter(|after| *after <= today) { a.button.quiet href=(to(after)) { "The day after" } }
            @if day != today { a.button.quiet href=(visitor.address(path)) { "Today" } }
            label { "Day " input type="date" name="day" value=(day) required; }
            button type="submit" { "Show" }
        }
    }
}
