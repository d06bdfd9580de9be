"""The wizard that writes a cluster job, a training or a large folder to classify."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Signal
from PySide6.QtWidgets import QFileDialog, QStackedWidget

from gcdesk.cluster.classify_bundle import ClassifyJob, Pieces, classify_job, classify_texts
from gcdesk.cluster.errors import BundleError
from gcdesk.cluster.image_folder import Packed, list_photos
from gcdesk.cluster.job import Job
from gcdesk.cluster.script_templates import bundle_name, sbatch_text
from gcdesk.cluster.sites import load_site, site_names
from gcdesk.cluster.training_bundle import ARCHIVE_SUFFIX
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.library.library import Library
from gcdesk.ui.cluster.classify_page import ClassifyPage, models_in_use
from gcdesk.ui.cluster.wizard_pages import ModelPage, Page, PhotosPage, ResourcesPage, ReviewPage
from gcdesk.ui.host import Host
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import Sheet, note, scrolled
from gcdesk.ui.widgets.form_card import Card

_CLASSIFY = 4  # in the stack; it takes the place of the model's page


class ClusterWizard(Sheet):
    """Sends `wanted(job, file)` when everything is chosen. Folders are looked through on a thread."""

    wanted = Signal(object, object)

    def __init__(self, host: Host) -> None:
        super().__init__(host.widget, host.theme, "Job for a cluster – gcdesk", "Which photos?")  # noqa: RUF001 - a dash
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(self._say)
        self._packed: Packed | None = None
        self.job: Job | ClassifyJob | None = None
        self.photos = PhotosPage(self, [load_site(name) for name in site_names()])
        self.model, self.resources = ModelPage(self), ResourcesPage(self)
        self.classify = ClassifyPage(self)
        self.review = ReviewPage(self)
        self._pages: list[Page] = [self.photos, self.model, self.resources, self.review]
        self.stack = QStackedWidget()
        for page in (self.photos, self.model, self.resources, self.classify):
            self.stack.addWidget(scrolled(page))
        self.stack.insertWidget(3, self.review)
        self.body.addWidget(self.stack, 1)
        self.news = note()
        self.body.addWidget(self.news)
        self.step = note()
        self.buttons.addWidget(self.step)
        self.buttons.addStretch(1)
        self.add_button("Cancel", self.close)
        self.back = self.add_button("Back", self._go_back)
        self.next = self.add_button("Next", self.go_on, main=True)
        self.setMinimumSize(460, 400)
        self.resize_within(640, 660)
        self.photos.site_changed.connect(self._site_changed)
        self.photos.purpose_changed.connect(self._purpose_changed)
        self._site_changed()
        self._show(0)
        self._file_tasks.run(_image_models, self.while_open(self.model.show_models))
        self._file_tasks.run(models_in_use, self.while_open(self.classify.show_models))

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for card in self.findChildren(Card):
            card.set_theme(theme)

    def done(self, result: int) -> None:
        self._file_tasks.close()
        super().done(result)

    @property
    def page_index(self) -> int:
        """The page that is shown, from 0."""
        shown = self.stack.currentIndex()
        return 1 if shown == _CLASSIFY else shown

    def _say(self, words: str) -> None:
        self.news.setText(words)

    def _site_changed(self) -> None:
        self.resources.show_site(self.photos.chosen_site)

    def _purpose_changed(self) -> None:
        classifies = self.photos.classifies
        self._pages[1] = self.classify if classifies else self.model
        self.resources.show_purpose(classifies)
        self._site_changed()

    def _show(self, index: int) -> None:
        self.stack.setCurrentIndex(_CLASSIFY if self._pages[index] is self.classify else index)
        self.heading.setText(self._pages[index].title)
        self.step.setText(f"Step {index + 1} of {len(self._pages)}")
        self.back.setEnabled(index > 0)
        self.next.setText("Save…" if index == len(self._pages) - 1 else "Next")
        self._say("")

    def _go_back(self) -> None:
        self._show(max(0, self.page_index - 1))

    def go_on(self) -> None:
        """To the next page, if this one is complete; from the last one, save."""
        if self.page_index == 0:
            self._leave_photos()
        elif self.page_index == 1:
            self._show(2)
        elif self.page_index == 2:
            self._leave_resources()
        else:
            self._ask_file()

    def _leave_photos(self) -> None:
        problem = self.photos.problem()
        folder = self.photos.to_pack()
        if problem:
            self._say(problem)
        elif folder is None:
            self._packed = None
            self._show(1)
        else:
            self._say("Looking through the folder…")
            self.next.setEnabled(False)
            self._file_tasks.run(
                lambda: list_photos(folder),
                self.while_open(self._listed),
                lambda: self.while_open(lambda _none: self.next.setEnabled(True))(None),
            )

    def _listed(self, packed: Packed) -> None:
        self._packed = packed
        self.photos.show_packed(packed)
        self._show(1)
        self._say(self.photos.news.text())

    def _leave_resources(self) -> None:
        try:
            self.job = self.make_job()
            text = (
                classify_texts(self.job)["classify.sbatch"]
                if isinstance(self.job, ClassifyJob)
                else sbatch_text(self.job)
            )
        except GcdeskError as error:
            self._say(str(error))
            return
        self.review.show_job(self.job, text)
        self._show(3)

    def make_job(self) -> Job | ClassifyJob:
        """What the pages say. Raises GcdeskError with what is wrong."""
        if self.photos.classifies:
            return self._make_classify_job()
        name = self.model.name.text().strip()
        base: Path | None = self.model.base.currentData()
        return Job(
            run=_run_name(name),
            model=name,
            site=self.photos.chosen_site,
            resources=self.resources.resources(),
            training=self.model.settings(),
            folders=self.photos.folders(),
            packed=self._packed if self.photos.to_pack() else None,
            base=base,
            sweep=self.model.axes(),
        )

    def _make_classify_job(self) -> ClassifyJob:
        page = self.classify
        if page.in_use is None:
            raise BundleError("The models in use are not found yet: go back and look at the Models sheet.")
        return classify_job(
            _run_name(page.name.text().strip()),
            self.photos.large.text().strip(),
            self.photos.chosen_site,
            (page.in_use.image, page.in_use.text),
            self.resources.resources(),
            Pieces(
                page.tasks.value(), page.at_once.value(), page.shard_size.value(), page.table.currentData()
            ),
        )

    def _ask_file(self) -> None:
        if self.job is None:
            return
        name = self.job.name if isinstance(self.job, ClassifyJob) else bundle_name(self.job)
        start = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        chosen, _kind = QFileDialog.getSaveFileName(
            self, "Save the bundle", str(Path(start) / f"{name}{ARCHIVE_SUFFIX}"),
            f"Bundle (*{ARCHIVE_SUFFIX})",
        )  # fmt: skip
        if chosen:
            self.save(Path(chosen))

    def save(self, target: Path) -> None:
        """Hand over what was chosen; an ending is added where there is none."""
        if not target.name.endswith(ARCHIVE_SUFFIX):
            target = target.with_name(target.name + ARCHIVE_SUFFIX)
        self.wanted.emit(self.job, target)
        self.close()


def _run_name(words: str) -> str:
    """A run's name that Slurm and file names take, with the time behind it."""
    run = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in words)
    return f"{run[:40].strip('-.') or 'run'}-{time.strftime('%Y%m%d-%H%M%S')}"


def _image_models() -> list[tuple[str, Path]]:
    """Models that a training can start from: EfficientNet-B2 is what the trainer builds."""
    return [
        (model.name, model.folder)
        for model in Library().models()
        if model.info is not None and model.info.architecture.id.startswith("efficientnet_b2")
    ]
