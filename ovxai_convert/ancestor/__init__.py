"""What users of openvino-xai 1.1.0 bring: its names at their old paths, and what stood behind some.

``docs/migration.md`` goes through all of them. New code imports from ``ovxai_convert`` itself.
"""
