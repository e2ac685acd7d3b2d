"""The Health Data Hub: deliveries in, OMOP CDM 5.4 and approved extracts out."""
