use maud::{Markup, html};

/// A bar of a bar chart.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// The label next to the bar.
    pub(crate) label: String,
    /// The length, in any unit.
    pub(crate) value: i64,
    /// The value as text, shown next to the bar.
    pub(crate) shown: String,
}

/// The width of the drawing in SVG units, and of the longest bar.
const WIDTH: i64 = 10_000;

/// Draws a bar chart. The longest bar is as wide as the drawing.
pub(crate) fn bars(bars: &[Bar]) -> Markup {
    let widths = widths(bars);
    html! {
        dl.bars aria-hidden="true" {
            @for (bar, width) in bars.iter().zip(widths) {
                dt { (bar.label) }
                dd {
                    svg viewBox={ "0 0 " (WIDTH) " 10" } preserveAspectRatio="none" {
                        rect.k0 width=(width) height="10" {}
                    }
                }
                dd.number { (bar.shown) }
            }
        }
    }
}

/// The width of each bar in SVG units, from 0 to [`WIDTH`].
fn widths(bars: &[Bar]) -> Vec<i64> {
    let longest = bars.iter().map(|bar| bar.value.max(0)).max().unwrap_or(0).max(1);
    let width = |bar: &Bar| {
        let exact = i128::from(bar.value.max(0)) * i128::from(WIDTH) / i128::from(longest);
        i64::try_from(exact).unwrap_or(WIDTH)
    };
    bars.iter().map(width).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bar_is_as_much_of_the_longest_as_its_value(values in proptest::collection::vec(0..i64::MAX, 1..40)) {
            let bars: Vec<Bar> = values
                .iter()
                .map(|value| Bar { label: String::new(), value: *value, shown: String::new() })
                .collect();
            let longest = values.iter().copied().max().unwrap_or(0).max(1);
            for (value, width) in values.iter().zip(widths(&bars)) {
                let exact = *value as f64 / longest as f64 * WIDTH as f64;
                prop_assert!((0..=WIDTH).contains(&width) && (exact - width as f64).abs() <= 1.0);
            }
        }
    }
}
