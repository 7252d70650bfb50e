//! The filter language over exchanges: text → filter, filter + exchange → yes or no.
