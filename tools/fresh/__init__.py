"""What ages by itself: packages, links to other sites, support dates. Scheduled, and never in the way of a change."""
