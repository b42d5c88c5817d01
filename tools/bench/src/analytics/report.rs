//! The results of the measurement, and its goals.

use std::fmt;

use serde::Serialize;

use super::{
    floor::Floor,
    freshness::Freshness,
    question::{ME, QUESTIONS, YEAR},
};
use crate::{goal::Goal, measured::Measured};

/// The results of all measurements.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Report {
    pub(super) sizes: Vec<Size>,
    pub(super) freshness: Option<Freshness>,
}

/// The results with this many windows stored.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Size {
    pub(super) windows: u64,
    pub(super) floor: Floor,
    pub(super) answers: Vec<Answers>,
}

/// The result of one query on this many connections.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Answers {
    pub(super) question: &'static str,
    pub(super) connections: usize,
    pub(super) measured: Measured,
}

impl Size {
    fn of(&self, question: &str, connections: usize) -> Option<&Measured> {
        let is_it = |a: &&Answers| a.question == question && a.connections == connections;
        self.answers.iter().find(is_it).map(|answers| &answers.measured)
    }
}

impl Report {
    /// Returns the goals that could be measured. Each query is judged by its time with all windows
    /// stored.
    fn goals(&self) -> Vec<Goal> {
        let Some(most) = self.sizes.last() else { return Vec::new() };
        let of_question = QUESTIONS.iter().filter_map(|question| {
            let floors = most.of(question.name, 1)?.p50 / most.floor.millis();
            Goal::most(&format!("{}, in F", question.name), Some(floors), question.floors?)
        });
        let growth = self.growth(YEAR);
        let share = most.of(YEAR, 16).zip(most.of(ME, 16)).map(|(year, me)| year.rate / me.rate);
        let freshness = self.freshness.as_ref();
        let others = [
            Goal::most("growth over ten times the windows, whole company", growth, 1.1),
            Goal::least("project-time over 365 days at 16 connections ÷ auth/me at 16", share, 0.6),
            Goal::most("what freshness costs at p99, ms", freshness.map(Freshness::cost), 20.0),
            Goal::least("windows a second meanwhile", freshness.map(|fresh| fresh.windows_a_second), 950.0),
        ];
        of_question.chain(others.into_iter().flatten()).collect()
    }

    /// Returns by which factor the median time of a query grows from a tenth of the windows to all
    /// windows.
    fn growth(&self, question: &str) -> Option<f64> {
        let [.., tenth, all] = &self.sizes[..] else { return None };
        Some(all.of(question, 1)?.p50 / tenth.of(question, 1)?.p50)
    }

    /// Returns a sentence for each missed goal.
    pub(super) fn missed(&self) -> Vec<String> {
        Goal::missed(&self.goals())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Size { windows, floor, answers } in &self.sizes {
            writeln!(f, "{windows} windows; {floor}")?;
            for Answers { connections, measured, .. } in answers {
                write!(f, "  {measured}")?;
                match connections {
                    1 => writeln!(f, "  {:>7.1} F", measured.p50 / floor.millis())?,
                    _ => writeln!(f)?,
                }
            }
            writeln!(f)?;
        }
        writeln!(f, "Growth from a tenth to all windows, p50 at one connection:")?;
        for question in &QUESTIONS {
            if let Some(growth) = self.growth(question.name) {
                writeln!(f, "  {:<44} {growth:>6.2} times", question.name)?;
            }
        }
        if let Some(freshness) = &self.freshness {
            writeln!(f, "\nFreshness:\n{freshness}")?;
        }
        writeln!(f)?;
        self.goals().iter().try_for_each(|goal| writeln!(f, "{goal}"))
    }
}
