//! Golden files of messages about rates and repricing.

use contracts::*;

use crate::{
    examples::{AT, id, label, payroll, range, rate},
    files::Golden,
};

pub(crate) fn rates(golden: &mut Golden) {
    let (valid_from, amount) = (jiff::civil::date(2026, 2, 1), rate(62.5));
    let scope = RateScope::project(id(3)).of(id(1));
    let set = DatedRate { id: id(13), scope, kind: RateKind::OvertimeBill, amount, valid_from, created_at: AT };
    golden.request(SetRate { scope, kind: RateKind::OvertimeBill, amount, valid_from }, set);
    golden.request(GetRate { id: id(13) }, set);
    let list = ListRates {
        projects: vec![id(3)],
        tasks: vec![id(4)],
        employees: vec![id(1)],
        kinds: vec![RateKind::Pay],
        everywhere: true,
        after: Some(id(12)),
    };
    golden.request(list, Page { items: vec![set], next: Some(id(13)) });
    golden.request(DeleteRate { id: id(13), timezone: "Europe/Berlin".parse().expect("a zone") }, ());
    let line = payroll().line(id(1));
    golden.event(RatesChanged {
        scope,
        version: 4,
        rates: vec![RateSince { kind: RateKind::Bill, amount, valid_from, set_at: AT }],
        payroll: vec![LineSince { since: None, line: Some(line) }, LineSince { since: Some(AT), line: None }],
    });
}

pub(crate) fn reprice(golden: &mut Golden) {
    let filter = RepriceFilter {
        employees: vec![id(1)],
        projects: vec![id(3)],
        tasks: vec![id(4)],
        shifts: vec![label("shift-1")],
        begin: Some(range()),
    };
    let difference = RepriceDifference { costs: Cents(-50), income: Cents(1_250) };
    let (costs, income, hash) = (Cents(4_050), Cents(6_250), "9f86d081884c7d65".to_owned());
    let preview = RepricePreview { count: 2, settled: 1, costs, income, difference, hash: hash.clone() };
    golden.request(PreviewReprice { filter: filter.clone() }, preview);
    let job = RepriceJob {
        id: id(14),
        state: RepriceState::Done,
        count: 2,
        changed: 2,
        settled: 1,
        seen: 3,
        total: 3,
        started_at: AT,
        finished_at: Some(AT + HOUR),
    };
    golden.request(StartReprice { filter, hash }, job.clone());
    golden.request(GetReprice { id: id(14) }, job);
}
