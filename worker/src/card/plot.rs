//! A frame with axes, and what is drawn in it, as SVG.
//!
//! Owns places and ticks. Colours are the page's, by class names, so that a plot follows a dark page.

use std::fmt::Write as _;

use maud::{Markup, html};

/// The drawing's size.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 300.0;

/// The room for ticks and labels, left of the frame and below it, and for half a tick's text on the other sides.
const LEFT: f64 = 56.0;
const BELOW: f64 = 44.0;
const MARGIN: f64 = 12.0;

/// About how many ticks an axis has.
const TICKS: f64 = 5.0;

/// The part of the plane that is seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    /// A frame around these ranges; one without width is widened.
    pub(super) fn new(x: (f64, f64), y: (f64, f64)) -> Self {
        Self { x: widened(x), y: widened(y) }
    }

    /// From 0 to 1, both ways.
    pub(super) fn unit() -> Self {
        Self::new((0.0, 1.0), (0.0, 1.0))
    }

    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let across = (x - self.x.0) / (self.x.1 - self.x.0);
        let up = (y - self.y.0) / (self.y.1 - self.y.0);
        let (width, height) = (WIDTH - LEFT - MARGIN, HEIGHT - BELOW - MARGIN);
        // One digit after the point is a tenth of a pixel.
        let rounded = |value: f64| (value * 10.0).round() / 10.0;
        (rounded(LEFT + across * width), rounded(MARGIN + (1.0 - up) * height))
    }

    /// A line through points.
    pub(super) fn line(&self, points: &[(f64, f64)], class: &str) -> Markup {
        let mut path = String::new();
        for (number, point) in points.iter().enumerate() {
            let (x, y) = self.place(point.0, point.1);
            // Writing to a string cannot fail.
            let _ = write!(path, "{}{x} {y}", if number == 0 { "M" } else { "L" });
        }
        html! { path class={ "line " (class) } d=(path) {} }
    }

    /// Dots.
    pub(super) fn dots(&self, points: &[(f64, f64)], radius: f64, class: &str) -> Markup {
        html! {
            @for point in points {
                @let (x, y) = self.place(point.0, point.1);
                circle class={ "dot " (class) } cx=(x) cy=(y) r=(radius) {}
            }
        }
    }

    /// The whole drawing: axes with ticks and labels, and what is in the frame. `title` says what is seen to those who cannot see it.
    pub(super) fn drawing(&self, title: &str, x_label: &str, y_label: &str, content: &Markup) -> Markup {
        let ((left, bottom), (right, top)) = (self.place(self.x.0, self.y.0), self.place(self.x.1, self.y.1));
        html! {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(title) {
                @for tick in ticks(self.x) {
                    @let (x, _) = self.place(tick, self.y.0);
                    line class="grid" x1=(x) y1=(top) x2=(x) y2=(bottom) {}
                    text class="tick" x=(x) y=(bottom + 15.0) text-anchor="middle" { (short(tick)) }
                }
                @for tick in ticks(self.y) {
                    @let (_, y) = self.place(self.x.0, tick);
                    line class="grid" x1=(left) y1=(y) x2=(right) y2=(y) {}
                    text class="tick" x=(left - 6.0) y=(y + 4.0) text-anchor="end" { (short(tick)) }
                }
                (content)
                text class="axis" x=((left + right) / 2.0) y=(HEIGHT - 6.0) text-anchor="middle" { (x_label) }
                text class="axis" transform={ "translate(13 " ((top + bottom) / 2.0) ") rotate(-90)" } text-anchor="middle" { (y_label) }
            }
        }
    }
}

fn widened((low, high): (f64, f64)) -> (f64, f64) {
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    if high - low > 0.0 {
        (low, high)
    } else {
        (low - low.abs().max(1.0) / 2.0, low + low.abs().max(1.0) / 2.0)
    }
}

/// Round numbers within a range: multiples of 1, 2 or 5 times a power of ten.
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let rough = (high - low) / TICKS;
    let power = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough * 0.999);
    let step = step.filter(|step| step.is_normal()).unwrap_or(high - low);
    let first = (low / step - 1e-9).ceil();
    let places = (0..=2 * TICKS as u32).map(|number| (first + f64::from(number)) * step);
    places.take_while(|tick| *tick <= high + step * 1e-9).map(|tick| tick + 0.0).collect()
}

/// A tick's number, as short as it is exact.
fn short(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_range() {
        let texts = |range| ticks(range).into_iter().map(short).collect::<Vec<_>>();
        assert_eq!(texts((0.0, 1.0)), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(texts((-37.0, 120.0)), ["0", "50", "100"]);
        assert_eq!(texts((2e8, 9e8)), ["2e8", "4e8", "6e8", "8e8"]);
        for range in [(0.0, 5e-324), (-1e100, 1e100), (1e100, 1e100 * (1.0 + 1e-15))] {
            let found = ticks(range);
            assert!(found.len() < 12 && found.iter().all(|tick| tick.is_finite()), "{range:?}: {found:?}");
        }
    }

    #[test]
    fn any_numbers_have_a_place() {
        for frame in [
            Frame::new((3.0, 3.0), (0.0, 0.0)),
            Frame::new((f64::NAN, 1.0), (f64::NEG_INFINITY, f64::INFINITY)),
        ] {
            let (x, y) = frame.place(frame.x.0, frame.y.1);
            assert!((x, y) == (LEFT, MARGIN), "{x} {y}");
        }
    }
}
