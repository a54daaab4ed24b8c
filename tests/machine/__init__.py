"""Players, clicks, staff, faults and kills in any order; then quiet, and the books must agree with the provider's."""
