"""The registers: imported from CSV and XLSX into the document store; and the demo district."""
