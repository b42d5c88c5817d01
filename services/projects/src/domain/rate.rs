use contracts::{Code, DatedRate, Failure, Millis, Payee, Payroll, RATES_OF_SCOPE_MOST, RateScope, SetRate, Zone};

use super::Task;

/// The scope with which a rate is stored. The scope of a task is stored without a project, because
/// tasks can move.
///
/// # Errors
/// 400 when the task does not exist or belongs to another project.
pub(crate) fn kept_scope(asked: RateScope, task: Option<&Task>) -> Result<RateScope, Failure> {
    if asked.task.is_none() {
        return Ok(asked);
    }
    let Some(task) = task else {
        return Err(Failure::new(Code::UnknownTask, "There is no task with this id. Create it first."));
    };
    if asked.project.is_some_and(|project| project != task.state.project_id) {
        let detail = "The task belongs to another project. Name that one, or leave the project out.";
        return Err(Failure::new(Code::UnknownTask, detail));
    }
    Ok(RateScope { project: None, ..asked })
}

/// The existing rate of the same kind and the same first day, if its amount is the new one. None if
/// there is no rate of that kind and day.
///
/// # Errors
/// 409 when its amount is another one; 422 when the scope has too many rates.
pub(crate) fn same_rate(known: &[DatedRate], set: &SetRate) -> Result<Option<DatedRate>, Failure> {
    let on_this_day = known.iter().find(|rate| (rate.kind, rate.valid_from) == (set.kind, set.valid_from));
    match on_this_day {
        Some(rate) if rate.amount == set.amount => Ok(Some(*rate)),
        Some(_) => {
            let detail = "Another amount holds from this day on already. Choose another day, or delete that one while its day has not begun.";
            Err(Failure::new(Code::RateExists, detail))
        }
        None if known.len() >= RATES_OF_SCOPE_MOST => {
            Err(Failure::field("scope", format!("must have fewer than {RATES_OF_SCOPE_MOST} rates")))
        }
        None => Ok(None),
    }
}

/// Refuses to delete a rate that may already have been used to price hours.
///
/// # Errors
/// 409 from the first day of the rate on.
pub(crate) fn require_future(rate: &DatedRate, now: Millis, zone: &Zone) -> Result<(), Failure> {
    if zone.day(now) < rate.valid_from {
        return Ok(());
    }
    let detail = "The rate holds already, so hours may be priced by it. Set another one from a later day on.";
    Err(Failure::new(Code::RateHasBegun, detail))
}

/// The payees whose lines differ between the two payrolls.
pub(crate) fn changed_lines(was: &Payroll, now: &Payroll) -> Vec<Payee> {
    let gone = was.0.keys().filter(|payee| !now.0.contains_key(payee));
    now.0.keys().chain(gone).filter(|payee| was.0.get(payee) != now.0.get(payee)).copied().collect()
}

#[cfg(test)]
mod tests {
    use contracts::{PayrollLine, Rate, RateKind};
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;

    fn amount(units: i64) -> Rate {
        Rate::from_units(units).unwrap()
    }

    fn rate() -> DatedRate {
        DatedRate {
            id: Uuid::nil().into(),
            scope: RateScope::default(),
            kind: RateKind::Bill,
            amount: amount(1),
            valid_from: date(2026, 2, 1),
            created_at: Millis(0),
        }
    }

    #[test]
    fn on_one_day_a_scope_has_one_rate_of_a_kind_and_the_same_one_again_is_that() {
        let DatedRate { scope, kind, amount: same, valid_from, .. } = rate();
        let set = SetRate { scope, kind, amount: same, valid_from };
        assert_eq!(same_rate(&[rate()], &set), Ok(Some(rate())));
        let other = same_rate(&[rate()], &SetRate { amount: amount(2), ..set });
        assert_eq!(other.unwrap_err().code, Code::RateExists);
        assert_eq!(same_rate(&[rate()], &SetRate { kind: RateKind::Pay, ..set }), Ok(None));
        assert_eq!(same_rate(&[rate()], &SetRate { valid_from: date(2026, 2, 2), ..set }), Ok(None));
    }

    #[test]
    fn a_rate_is_deleted_until_its_day_begins_where_the_organisation_is() {
        let zone: Zone = "Asia/Kathmandu".parse().unwrap();
        let begins = zone.beginning(date(2026, 2, 1));
        assert_eq!(require_future(&rate(), begins - 1, &zone), Ok(()));
        assert_eq!(require_future(&rate(), begins, &zone).unwrap_err().code, Code::RateHasBegun);
    }

    #[test]
    fn lines_that_came_went_or_changed_are_found_and_no_others() {
        let line = |units| PayrollLine { bill_rate: Some(amount(units)), ..Default::default() };
        let payee = |n| Payee::Employee(Uuid::from_u128(n).into());
        let was = Payroll([(Payee::Everybody, line(1)), (payee(1), line(2)), (payee(2), line(3))].into());
        let now = Payroll([(Payee::Everybody, line(1)), (payee(2), line(4)), (payee(3), line(5))].into());
        let mut changed = changed_lines(&was, &now);
        changed.sort();
        assert_eq!(changed, [payee(1), payee(2), payee(3)]);
    }
}
