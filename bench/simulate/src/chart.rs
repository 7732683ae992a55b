//! The means per trace as a bar chart in SVG.

use crate::caches::NAMES;
use crate::results::{CAPACITIES, Results};
use std::fmt::Write;

const COLORS: [&str; NAMES.len()] = ["#c0392b", "#b0b0b0", "#7f8c8d", "#4f5b66", "#e8d9b5"];
const LEFT: f64 = 130.0;
const SCALE: f64 = 6.0;
const BAR: f64 = 7.0;
const GROUP: f64 = BAR * NAMES.len() as f64 + 8.0;
const HEAD: f64 = 76.0;

/// The chart of some groups of traces.
pub(crate) fn draw(groups: &[(&str, Results)], about: &str) -> String {
    let rows: usize = groups.iter().map(|(_, results)| results.rows.len()).sum();
    let height = HEAD + rows as f64 * GROUP + groups.len() as f64 * 34.0;
    let width = LEFT + 100.0 * SCALE + 60.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"14\">Hits in percent of reads, mean of capacities of \
         1, 5, 10 and 25% of the keys</text>\n"
    );
    text(&mut svg, 8.0, 35.0, about);
    for (cache, name) in NAMES.iter().enumerate() {
        let x = LEFT + cache as f64 * 110.0;
        bar(&mut svg, x, 48.0, 12.0, COLORS[cache]);
        text(&mut svg, x + 16.0, 55.0, name);
    }
    let mut y = HEAD;
    for (title, results) in groups {
        y += 22.0;
        text(&mut svg, 8.0, y, &format!("{title}:"));
        y += 12.0;
        for (name, cells) in &results.rows {
            text(&mut svg, 8.0, y + GROUP / 2.0, name);
            for (cache, ratios) in cells.iter().enumerate() {
                let mean = ratios.iter().sum::<f64>() / CAPACITIES.len() as f64;
                bar(
                    &mut svg,
                    LEFT,
                    y + cache as f64 * BAR,
                    mean * SCALE,
                    COLORS[cache],
                );
                if cache == 0 {
                    text(
                        &mut svg,
                        LEFT + mean * SCALE + 4.0,
                        y + BAR,
                        &format!("{mean:.1}"),
                    );
                }
            }
            y += GROUP;
        }
    }
    svg + "</svg>\n"
}

fn bar(svg: &mut String, x: f64, y: f64, width: f64, color: &str) {
    let height = BAR - 1.0;
    let _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{color}\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}
