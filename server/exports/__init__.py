"""Records as files: columns that stay over form versions, read page by page, written as CSV, XLSX, GeoJSON
or Parquet."""
