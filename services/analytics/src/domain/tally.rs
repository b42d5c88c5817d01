use std::collections::BTreeMap;

use contracts::{EmployeeId, Page, ProjectId, TaskId, TimeCursor, TimeRow};

use super::{Bucket, Cells, Key, Piece, Question, Sheet, Step, Total};

/// The sums of a report's rows so far. The stored documents, each of one month, are added one by
/// one.
#[derive(Debug)]
pub(crate) struct Tally<'a> {
    question: &'a Question,
    sums: BTreeMap<Key, Total>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(question: &'a Question) -> Self {
        Self { question, sums: BTreeMap::new() }
    }

    /// Adds the data of one document of a month, as far as the step needs it.
    pub(crate) fn add(&mut self, step: &Step, sheet: &Sheet) {
        let who = sheet.employee;
        for (bucket, piece) in step.pieces.iter().copied() {
            match piece {
                Piece::Month(month) if month == sheet.month => {
                    self.add_cells(bucket, who, &sheet.total);
                    sheet.sums.values().for_each(|sum| self.add_one(bucket, who, None, *sum));
                }
                Piece::Month(_) => {}
                Piece::Day(day) => {
                    sheet.cells.get(&day).into_iter().for_each(|cells| self.add_cells(bucket, who, cells));
                    sheet.sums.get(&day).into_iter().for_each(|sum| self.add_one(bucket, who, None, *sum));
                }
                Piece::Less(day) => {
                    let less = |cells: &Cells| cells.iter().map(|(work, total)| (*work, -*total)).collect();
                    sheet.cells.get(&day).map(less).iter().for_each(|cells| self.add_cells(bucket, who, cells));
                    sheet.sums.get(&day).into_iter().for_each(|sum| self.add_one(bucket, who, None, -*sum));
                }
                Piece::Edge { day, range } => {
                    for stretch in sheet.stretches.get(&day).into_iter().flatten() {
                        if let Some(inside) = stretch.within(range) {
                            let work = (inside.work.project, inside.work.task);
                            self.add_one(bucket, who, Some(work), inside.total());
                        }
                    }
                }
            }
        }
    }

    /// Adds the sums of each project and task that the filter includes. Consecutive sums that
    /// belong to the same row are added to each other first, so that the row is searched only once
    /// for all of them.
    fn add_cells(&mut self, bucket: usize, who: Option<EmployeeId>, cells: &Cells) {
        let taken = cells.iter().filter(|((project, task), _)| self.question.filter.takes(*project, *task));
        let keyed: Vec<_> = taken.map(|(work, total)| (self.question.key(bucket, Some(*work), who), *total)).collect();
        for row in keyed.chunk_by(|(a, _), (b, _)| a == b) {
            let mut sum = Total::default();
            row.iter().for_each(|(_, total)| sum += *total);
            row.first().into_iter().for_each(|(key, _)| self.add_to(*key, sum));
        }
    }

    fn add_one(&mut self, bucket: usize, who: Option<EmployeeId>, work: Option<(ProjectId, TaskId)>, total: Total) {
        if work.is_none_or(|(project, task)| self.question.filter.takes(project, task)) {
            self.add_to(self.question.key(bucket, work, who), total);
        }
    }

    fn add_to(&mut self, key: Key, total: Total) {
        if self.question.is_new(key) {
            *self.sums.entry(key).or_default() += total;
        }
    }

    /// The number of rows so far of the buckets before this one. Steps come in the order of their
    /// buckets, so a step that begins with this bucket adds to none of these rows, nor does a later
    /// step.
    pub(crate) fn rows_before(&self, bucket: usize) -> usize {
        let first = Key { bucket, project: None, task: None, employee: None };
        self.sums.range(..first).count()
    }

    /// All rows with time, in the order of their keys. Each key occurs once.
    pub(crate) fn totals(self) -> impl Iterator<Item = (Key, Total)> {
        self.sums.into_iter().filter(|(_, total)| total.time > 0)
    }

    /// The first rows, `most` at most, with the position of the last one if another row follows.
    /// The money of a report is rounded to cents only here.
    pub(crate) fn page(self, buckets: &[Bucket], most: usize) -> Page<TimeRow, TimeCursor> {
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = None;
        for (key, total) in self.totals() {
            let Some(bucket) = buckets.get(key.bucket) else { continue };
            if page.items.len() == most {
                page.next = last;
                break;
            }
            let Key { project, task, employee, .. } = key;
            let Bucket { day, week, month, range } = *bucket;
            let (time, costs, income) = (total.time, total.costs.cents(), total.income.cents());
            page.items.push(TimeRow { day, week, month, project, task, employee, time, costs, income });
            last = Some(TimeCursor { start: range.start(), project, task, employee });
        }
        page
    }
}
